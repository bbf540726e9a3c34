import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
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
import type { Folder, Tool, Workload } from '../tool.ts'

const launcher = join(import.meta.dirname, '../../bin/steward')
const manifestsOf = (folder: Folder) => join(folder.path, 'steward/manifests')
const stateOf = (folder: Folder) => join(folder.path, 'steward/state')
/** Parsed manifests, which `apply` keeps in its state folder. */
const cacheOf = (folder: Folder) => join(stateOf(folder), 'cache')
const keptCacheOf = (folder: Folder) => join(folder.path, 'steward/kept-cache')

/** A manifest is at most 8 MB long. */
const filesPerClass = 20_000

function steward(options: { readonly name: string; readonly warm: boolean }): Tool {
  return {
    name: options.name,
    found: true,
    upTo: Number.POSITIVE_INFINITY,
    write(workload, folder) {
      if (!options.warm) return // both read the same manifests
      for (const [name, text] of manifests(workload, folder)) {
        put(join(manifestsOf(folder), 'bench', `${name}.yaml`), text)
      }
      const words = { host: '{{this}}', loop: '{{#each hosts}}', end: '{{/each}}' }
      const file = { i: '{{each.value.i}}', port: '{{each.value.port}}', key: '{{each.value.key}}' }
      const text = template({ ...words, ...file, portInLoop: '{{../each.value.port}}' })
      put(join(manifestsOf(folder), 'templates/bench.conf.hbs'), text)
      if (workload.kind !== 'mixed') return
      for (const [seed, { source, size }] of workload.state.copies.entries()) {
        put(join(manifestsOf(folder), 'files', source), copiedText(size, seed))
      }
    },
    command(workload, scenario, folder) {
      if (scenario === 'version')
        return options.warm ? { argv: [launcher, '--version'] } : undefined
      if (scenario === 'help') return options.warm ? { argv: [launcher, '--help'] } : undefined
      const inputs = ['--manifests', manifestsOf(folder), '--state', stateOf(folder)]
      const classes = manifests(workload, folder).map(([name]) => `bench::${name}`)
      if (scenario === 'graph') return { argv: [launcher, 'graph', ...inputs, ...classes] }
      const act = scenario === 'dry run' ? '--dry-run' : '--yes'
      return { argv: [launcher, 'apply', act, ...inputs, ...classes] }
    },
    settle(workload, folder) {
      return options.warm ? this.command(workload, 'drift', folder) : undefined
    },
    reset(workload, scenario, folder) {
      if (workload.kind === 'start') return
      const cache = cacheOf(folder)
      if (existsSync(cache) && !existsSync(keptCacheOf(folder))) {
        cpSync(cache, keptCacheOf(folder), { recursive: true })
      }
      if (scenario === 'first apply' && existsSync(stateOf(folder))) {
        for (const name of readdirSync(stateOf(folder))) {
          if (name !== 'cache') rmSync(join(stateOf(folder), name), { recursive: true })
        }
      }
      if (!options.warm) rmSync(cache, { recursive: true, force: true })
      else if (!existsSync(cache) && existsSync(keptCacheOf(folder))) {
        cpSync(keptCacheOf(folder), cache, { recursive: true })
      }
    },
  }
}

/** The classes of a workload by their last name, as YAML. */
function manifests(workload: Workload, folder: Folder): readonly (readonly [string, string])[] {
  switch (workload.kind) {
    case 'start':
      return []
    case 'files':
      return [['tree', treeClass(workload.state, folder)], ...filesClasses(workload.state, folder)]
    case 'mixed':
      return [['mixed', mixedClass(workload.state, folder)]]
    case 'graph':
      return [['graph', graphClass(workload.state)]]
  }
}

const defaults = 'defaults:\n  file: { owner: root, group: root }\n'
const listOf = (items: readonly object[]) => items.map((item) => `    - ${flow(item)}\n`).join('')
/** As a person would write it in one line; JSON's quotes are YAML's too. */
const flow = (item: object) =>
  `{ ${Object.entries(item)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join(', ')} }`
const names = (list: readonly string[]) => `[${list.join(', ')}]`

function treeClass({ directories }: FilesState, { target }: Folder): string {
  return `class: bench::tree
let:
  directories: ${names(directories)}
${defaults}resources:
  - file: ${target}
    ensure: directory
    mode: "0755"
${directoryResource(target)}`
}

const directoryResource = (target: string) => `  - file: ${target}/\${{ each.value }}
    for_each: \${{ directories }}
    ensure: directory
    mode: "0755"
`
const templateResource = (target: string) => `  - file: ${target}/\${{ each.value.path }}
    for_each: \${{ files }}
    mode: "0644"
    template: bench.conf.hbs
`

function filesClasses({ files }: FilesState, { target }: Folder): [string, string][] {
  const count = Math.ceil(files.length / filesPerClass)
  return Array.from({ length: count }, (_, k) => {
    const part = files.slice(k * filesPerClass, (k + 1) * filesPerClass)
    const text = `class: bench::files_${k}
let:
  hosts: ${names(hosts)}
  files:
${listOf(part)}${defaults}resources:
${templateResource(target)}`
    return [`files_${k}`, text]
  })
}

function mixedClass(state: MixedState, { target }: Folder): string {
  return `class: bench::mixed
let:
  hosts: ${names(hosts)}
  directories: ${names(state.directories)}
  files:
${listOf(state.files)}  copies:
${listOf(state.copies.map(({ path, source }) => ({ path, source })))}  links:
${listOf(state.links)}  texts:
${listOf(state.texts)}  commands:
${listOf(state.commands)}${defaults}resources:
  - package: ${names(state.packages)}
  - file: ${target}
    ensure: directory
    mode: "0755"
${directoryResource(target)}${templateResource(target)}  - file: ${target}/\${{ each.value.path }}
    for_each: \${{ copies }}
    mode: "0644"
    source: \${{ each.value.source }}
  - file: ${target}/\${{ each.value.path }}
    for_each: \${{ links }}
    ensure: link
    target: ${target}/\${{ each.value.to }}
  - file: ${target}/\${{ each.value.path }}
    for_each: \${{ texts }}
    mode: "0644"
    content: \${{ each.value.text }}
${state.users.map(({ name, uid }) => `  - user: ${name}\n    uid: ${uid}\n`).join('')}${state.groups
  .map(({ name, gid }) => `  - group: ${name}\n    gid: ${gid}\n`)
  .join('')}  - exec: \${{ each.value.name }}
    for_each: \${{ commands }}
    command: [/bin/true]
    creates: ${target}/\${{ each.value.creates }}
`
}

/** Commands that would only run when told to, for nothing is cheaper to look at. */
function graphClass(state: GraphState): string {
  const resources = state.map((required, i) => {
    const list = required.map((k) => `{ exec: n${k} }`).join(', ')
    return `  - exec: n${i}
    command: [/bin/true]
    refreshonly: true
${required.length === 0 ? '' : `    require: [${list}]\n`}`
  })
  return `class: bench::graph\nresources:\n${resources.join('')}`
}

export const stewardTools: readonly Tool[] = [
  steward({ name: 'steward', warm: true }),
  steward({ name: 'steward cold', warm: false }),
]
