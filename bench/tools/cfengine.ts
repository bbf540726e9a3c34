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

const own = (folder: Folder, path: string) => join(folder.path, 'cfengine', path)

/** A promise for each file: longer than a loop over a data container, and much quicker. */
export const cfengine: Tool = {
  name: 'cfengine',
  found: isInstalled('cf-agent'),
  upTo: 20_000,
  write(workload, folder) {
    if (workload.kind === 'start') return
    const file = { i: '{{i}}', port: '{{port}}', key: '{{key}}', host: '{{.}}' }
    put(own(folder, 'conf.mustache'), template({ ...file, loop: '{{#hosts}}', end: '{{/hosts}}' }))
    if (workload.kind === 'graph') put(own(folder, 'policy.cf'), head + graphBundle(workload.state))
    else if (workload.kind === 'files') {
      put(
        own(folder, 'policy.cf'),
        `${head}bundle agent bench {\n files:\n${filePromises(workload.state, folder)}}\n`,
      )
    } else {
      put(own(folder, 'policy.cf'), head + mixedBundle(workload.state, folder))
      for (const [seed, { source, size }] of workload.state.copies.entries()) {
        put(own(folder, `copies/${source}`), copiedText(size, seed))
      }
    }
  },
  command(_workload, scenario, folder) {
    if (scenario === 'version') return { argv: ['cf-agent', '--version'] }
    if (scenario === 'help') return { argv: ['cf-agent', '--help'] }
    const dry = scenario === 'dry run' ? ['--dry-run'] : []
    return { argv: ['cf-agent', '--no-lock', ...dry, '--file', own(folder, 'policy.cf')] }
  },
}

const head = `body common control { bundlesequence => { "bench" }; }
body perms mine(mode) { rxdirs => "false"; mode => "$(mode)"; owners => { "root" }; groups => { "root" }; }
body agent control { ifelapsed => "0"; }
body copy_from digest(from) { source => "$(from)"; compare => "digest"; }
body link_from link(to) { source => "$(to)"; link_type => "symlink"; when_no_source => "force"; }
body contain direct { useshell => "noshell"; }
`

function filePromises({ directories, files }: FilesState, folder: Folder): string {
  const path = (below: string) => join(folder.target, below)
  const made = [folder.target, ...directories.map(path)].map(
    (directory) => `  "${directory}/." create => "true", perms => mine("0755");\n`,
  )
  const rendered = files.map(({ i, port, key, path: below }) => {
    const data = JSON.stringify({ i, port, key, hosts })
    const render = `edit_template => "${own(folder, 'conf.mustache')}", template_method => "mustache"`
    return `  "${path(below)}" create => "true", perms => mine("0644"), ${render}, template_data => parsejson('${data}');\n`
  })
  return [...made, ...rendered].join('')
}

/** Without packages and groups, for which it would start commands. */
function mixedBundle(state: MixedState, folder: Folder): string {
  const path = (below: string) => join(folder.target, below)
  const copies = state.copies.map(
    (copy) =>
      `  "${path(copy.path)}" perms => mine("0644"), copy_from => digest("${own(folder, `copies/${copy.source}`)}");\n`,
  )
  const links = state.links.map(
    (link) =>
      `  "${path(link.path)}" link_from => link("${path(link.to)}"), move_obstructions => "true";\n`,
  )
  const texts = state.texts.map(
    (item) =>
      `  "${path(item.path)}" perms => mine("0644"), content => "${item.text.replaceAll('"', '\\"')}";\n`,
  )
  const users = state.users.map(
    ({ name, uid }) => `  "${name}" policy => "present", uid => "${uid}";\n`,
  )
  const classes = state.commands.map(
    ({ name, creates }) => `  "have_${name}" expression => fileexists("${path(creates)}");\n`,
  )
  const commands = state.commands.map(
    ({ name }) =>
      `  "/bin/true" handle => "${name}", contain => direct, unless => "have_${name}";\n`,
  )
  return `bundle agent bench {
 classes:
${classes.join('')} files:
${filePromises(state, folder)}${copies.join('')}${links.join('')}${texts.join('')} users:
${users.join('')} commands:
${commands.join('')}}
`
}

function graphBundle(state: GraphState): string {
  const promises = state.map((required, i) => {
    const list = required.map((k) => `"h${k}"`).join(', ')
    const order = required.length > 0 ? `, depends_on => { ${list} }` : ''
    return `  "n${i}" expression => "any", handle => "h${i}"${order};\n`
  })
  return `bundle agent bench {\n classes:\n${promises.join('')}}\n`
}
