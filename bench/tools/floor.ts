import { join } from 'node:path'
import { copiedText, type FilesState, hosts, plainWords, put, template } from '../state.ts'
import type { Folder, Scenario, Tool, Workload } from '../tool.ts'

const floors = join(import.meta.dirname, '../floors')
const templateOf = (folder: Folder) => join(folder.path, 'floor/template')
const listOf = (folder: Folder) => join(folder.path, 'floor/list')
const stateOf = (folder: Folder) => join(folder.path, 'floor/state.json')

/** On the Node that steward runs on. `sync` is the floor for what must be on the disk when it is done. */
function floor(options: { readonly name: string; readonly sync: boolean }): Tool {
  return {
    name: options.name,
    found: true,
    upTo: Number.POSITIVE_INFINITY,
    write(workload, folder) {
      if (workload.kind === 'start') return
      put(templateOf(folder), template(plainWords))
      if (workload.kind === 'files') put(listOf(folder), list(workload.state))
      if (workload.kind === 'graph') put(stateOf(folder), JSON.stringify(nodes(workload.state)))
      if (workload.kind === 'mixed') {
        put(stateOf(folder), JSON.stringify({ ...workload.state, hosts }))
        for (const [seed, { source, size }] of workload.state.copies.entries()) {
          put(join(folder.path, 'floor/copies', source), copiedText(size, seed))
        }
      }
    },
    command(workload, scenario, folder) {
      const script = argvOf(workload, scenario, folder, options.sync)
      return script === undefined ? undefined : { argv: [process.execPath, ...script] }
    },
  }
}

function argvOf(
  workload: Workload,
  scenario: Scenario,
  folder: Folder,
  sync: boolean,
): string[] | undefined {
  const writes = scenario === 'first apply' || scenario === 'drift'
  if (sync && !writes) return undefined
  switch (workload.kind) {
    case 'start':
      return ['-e', '0']
    case 'files': {
      const mode = scenario === 'dry run' ? 'check' : 'apply'
      const paths = [listOf(folder), templateOf(folder), folder.target]
      return [join(floors, 'files.mjs'), mode, sync ? 'sync' : 'nosync', ...paths]
    }
    case 'graph':
      return [join(floors, 'graph.mjs'), stateOf(folder)]
    case 'mixed': {
      const paths = [
        stateOf(folder),
        templateOf(folder),
        join(folder.path, 'floor/copies'),
        folder.target,
      ]
      return [join(floors, 'mixed.mjs'), ...paths]
    }
  }
}

function list({ directories, files }: FilesState): string {
  const lines = [
    ...directories.map((path) => `d ${path}\n`),
    ...files.map(({ path, i, port, key }) => `f ${path} ${i} ${port} ${key}\n`),
  ]
  return lines.join('')
}

const nodes = (state: readonly (readonly number[])[]) =>
  state.map((required, i) => ({ name: `n${i}`, require: required.map((k) => `n${k}`) }))

export const floorTools: readonly Tool[] = [
  floor({ name: 'floor', sync: false }),
  floor({ name: 'floor synced', sync: true }),
]
