import { join } from 'node:path'
import {
  copiedText,
  type FilesState,
  type GraphState,
  hosts,
  type MixedState,
  put,
  template,
} from '../state.ts'
import type { Folder, Tool } from '../tool.ts'
import { isInstalled } from './installed.ts'

const own = (folder: Folder, path: string) => join(folder.path, 'puppet', path)
const text = (value: string) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const doubleQuoted = (value: string) => JSON.stringify(value).replaceAll('$', '\\$')

export const puppet: Tool = {
  name: 'puppet',
  found: isInstalled('puppet'),
  upTo: 20_000,
  write(workload, folder) {
    if (workload.kind === 'start') return
    const header = '<%- | $i, $port, $key, $hosts | -%>\n'
    const file = { i: '<%= $i %>', port: '<%= $port %>', key: '<%= $key %>', host: '<%= $h %>' }
    const loop = { loop: '<%- $hosts.each |$h| { -%>', end: '<%- } -%>' }
    put(own(folder, 'modules/bench/templates/conf.epp'), header + template({ ...file, ...loop }))
    put(own(folder, 'modules/bench/lib/puppet/type/node.rb'), nodeType)
    put(
      own(folder, 'hiera.yaml'),
      `---\nversion: 5\nhierarchy:\n  - { name: data, datadir: ${own(folder, 'data')}, data_hash: json_data, path: data.json }\n`,
    )
    if (workload.kind === 'graph') {
      put(own(folder, 'site.pp'), graphManifest(workload.state))
      return
    }
    put(own(folder, 'data/data.json'), JSON.stringify({ ...workload.state, hosts }))
    if (workload.kind === 'files') put(own(folder, 'site.pp'), filesManifest(folder.target))
    else {
      put(own(folder, 'site.pp'), mixedManifest(workload.state, folder.target))
      for (const [seed, { source, size }] of workload.state.copies.entries()) {
        put(own(folder, `modules/bench/files/${source}`), copiedText(size, seed))
      }
    }
  },
  command(_workload, scenario, folder) {
    if (scenario === 'version') return { argv: ['puppet', '--version'] }
    if (scenario === 'help') return { argv: ['puppet', 'help'] }
    const folders = ['--confdir', own(folder, 'conf'), '--vardir', own(folder, 'var')]
    const data = [
      '--hiera_config',
      own(folder, 'hiera.yaml'),
      '--modulepath',
      own(folder, 'modules'),
    ]
    const dry = scenario === 'dry run' ? ['--noop', '--show_diff'] : []
    return { argv: ['puppet', 'apply', ...folders, ...data, ...dry, own(folder, 'site.pp')] }
  },
}

/** The cheapest type that there can be. */
const nodeType = 'Puppet::Type.newtype(:node) do\n  newparam(:name) { isnamevar }\nend\n'

const defaults = "File { owner => 'root', group => 'root' }\n"
const directory = (path: string) => `file { ${text(path)}: ensure => directory, mode => '0755' }\n`

const filesManifest = (target: string) => `$root = ${text(target)}
$hosts = lookup('hosts')
${defaults}${directory(target)}lookup('directories').each |$d| { file { "$root/$d": ensure => directory, mode => '0755' } }
lookup('files').each |$f| {
  file { "\${root}/\${f['path']}":
    ensure  => file,
    mode    => '0644',
    content => epp('bench/conf.epp', { 'i' => $f['i'], 'port' => $f['port'], 'key' => $f['key'], 'hosts' => $hosts }),
  }
}
`

function mixedManifest(state: MixedState & FilesState, target: string): string {
  const path = (below: string) => text(join(target, below))
  const file = (below: string, attributes: string) => `file { ${path(below)}: ${attributes} }\n`
  return [
    filesManifest(target),
    `package { ${JSON.stringify(state.packages)}: ensure => installed }\n`,
    ...state.copies.map((copy) =>
      file(
        copy.path,
        `ensure => file, mode => '0644', source => 'puppet:///modules/bench/${copy.source}'`,
      ),
    ),
    ...state.links.map((link) => file(link.path, `ensure => link, target => ${path(link.to)}`)),
    ...state.texts.map((item) =>
      file(item.path, `ensure => file, mode => '0644', content => ${doubleQuoted(item.text)}`),
    ),
    ...state.users.map(({ name, uid }) => `user { '${name}': ensure => present, uid => ${uid} }\n`),
    ...state.groups.map(
      ({ name, gid }) => `group { '${name}': ensure => present, gid => ${gid} }\n`,
    ),
    ...state.commands.map(
      ({ name, creates }) =>
        `exec { '${name}': command => '/bin/true', creates => ${path(creates)} }\n`,
    ),
  ].join('')
}

function graphManifest(state: GraphState): string {
  return state
    .map((required, i) => {
      const list = required.map((k) => `Node[n${k}]`).join(', ')
      return `node { 'n${i}': ${required.length > 0 ? `require => [${list}] ` : ''}}\n`
    })
    .join('')
}
