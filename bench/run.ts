/**
 * `npm run bench`: times whole processes of steward, of the floor and of the peers that are installed, on the
 * same states, one after the other in each round, and checks what each left behind.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measure } from './measure.ts'
import { cellTable, growthTable, type Run } from './report.ts'
import { drift, filesState, graphState, make, mixedState, remove, wrongFiles } from './state.ts'
import { type Folder, type Scenario, scenarios, type Tool, type Workload } from './tool.ts'
import { ansible } from './tools/ansible.ts'
import { cfengine } from './tools/cfengine.ts'
import { floorTools } from './tools/floor.ts'
import { puppet } from './tools/puppet.ts'
import { stewardTools } from './tools/steward.ts'
import { benchVoyager } from './voyager.ts'

const usage = `npm run bench -- [voyager] [OPTION...]
  voyager             only this: a dry run of a whole Zulip server on a real host where nothing is to be done,
                      with each program that it asks; needs what the system tests need, and --rounds counts
  --quick             small sizes and few rounds: under two minutes without peers
  --files N,...       sizes of the state of files, instead of 100,1000,10000,100000
  --graph N,...       sizes of the graph, instead of 20000
  --only KIND,...     of start, files, mixed, graph
  --scenario NAME,... such as "nothing to do"
  --tools NAME,...    instead of all that are installed
  --rounds N          how often each is timed after a first, uncounted time; 5 when absent
  --budget SECONDS    a program that took this long in one table is not timed again in it; 60 when absent
  --base DIR          where the states are written; /dev/shm takes the disk out of it; the folder for
                      temporary files when absent
  --json FILE         also write every single run there`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    files: { type: 'string' },
    graph: { type: 'string' },
    only: { type: 'string' },
    scenario: { type: 'string' },
    tools: { type: 'string' },
    rounds: { type: 'string' },
    budget: { type: 'string', default: '60' },
    base: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}
if (positionals.length > 0 && positionals.join() !== 'voyager') {
  console.error(usage)
  process.exit(1)
}
if (positionals.length > 0) {
  await benchVoyager(Number(values.rounds ?? (values.quick ? 3 : 8)))
  process.exit(0)
}
const listed = (text: string | undefined) => text?.split(',').map((part) => part.trim())
const numbers = (text: string) => text.split(',').map(Number)
const sizes = {
  files: numbers(values.files ?? (values.quick ? '100,1000' : '100,1000,10000,100000')),
  graph: numbers(values.graph ?? (values.quick ? '2000' : '20000')),
}
const rounds = Number(values.rounds ?? (values.quick ? 3 : 5))
const budgetMs = Number(values.budget) * 1000
const timeoutSeconds = 600

const allTools: readonly Tool[] = [...floorTools, ...stewardTools, cfengine, puppet, ansible]
const tools = allTools.filter(({ name, found }) => listed(values.tools)?.includes(name) ?? found)
const absent = allTools.filter(({ found }) => !found).map(({ name }) => name)

const base = mkdtempSync(join(values.base, 'steward-bench-'))
process.on('exit', () => rmSync(base, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

function* workloads(): Generator<Workload> {
  yield { kind: 'start', size: 1 }
  for (const size of sizes.files) yield { kind: 'files', size, state: filesState(size) }
  yield { kind: 'mixed', size: 162, state: mixedState() }
  for (const size of sizes.graph) yield { kind: 'graph', size, state: graphState(size) }
}

/** Puts the target as the scenario begins; returns how many files are then not as they must be. */
function prepare(workload: Workload, scenario: Scenario, { target }: Folder): number {
  if (workload.kind === 'start' || workload.kind === 'graph') return 0
  if (scenario === 'first apply') {
    remove(target)
    return workload.state.files.length
  }
  return scenario === 'nothing to do' ? 0 : drift(workload.state, target)
}

/** What is wrong with the end of a run, or nothing. Mends it, so that the next run begins as it should. */
function faultOf(
  workload: Workload,
  scenario: Scenario,
  folder: Folder,
  begun: number,
  exit: number,
): string | undefined {
  if (exit !== 0) return exit === 124 ? `ended after ${timeoutSeconds} s` : `exit status ${exit}`
  if (workload.kind === 'start' || workload.kind === 'graph') return undefined
  const wrong = wrongFiles(workload.state, folder.target)
  const expected = scenario === 'dry run' ? begun : 0
  if (wrong === expected) return undefined
  make(workload.state, folder.target)
  return `${wrong} files wrong at the end, not ${expected}`
}

const runs: Run[] = []

function timeCell(workload: Workload, scenario: Scenario, folder: Folder): void {
  const cell = { kind: workload.kind, size: workload.size, scenario }
  const spentMs = new Map<string, number>()
  for (let round = 0; round <= rounds; round++) {
    for (const tool of tools) {
      const command = tool.command(workload, scenario, folder)
      const spent = spentMs.get(tool.name) ?? 0
      if (command === undefined || workload.size > tool.upTo || spent > budgetMs) continue
      const begun = prepare(workload, scenario, folder)
      tool.reset?.(workload, scenario, folder)
      const measured = measure(command, join(folder.path, 'log'), timeoutSeconds)
      spentMs.set(tool.name, spent + measured.wallMs)
      // Reading 100 000 files over again after each run would take longer than the runs.
      const checked = workload.size <= 10_000 || round <= 1
      const fault = checked ? faultOf(workload, scenario, folder, begun, measured.exit) : undefined
      // The first round only warms the disk's cache up, but where one run eats the budget it has to do.
      if (round === 0 && measured.wallMs < budgetMs / 4 && fault === undefined) continue
      runs.push({
        ...cell,
        ...measured,
        tool: tool.name,
        round,
        ...(fault === undefined ? {} : { fault }),
      })
    }
  }
  console.log(`\n${cellTable(runs, cell)}`)
}

console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} of them, Node ${process.versions.node}, ${base}`,
)
if (absent.length > 0) console.log(`not installed, so not timed: ${absent.join(', ')}`)
for (const workload of workloads()) {
  if (!(listed(values.only)?.includes(workload.kind) ?? true)) continue
  const path = join(base, `${workload.kind}-${workload.size}`)
  const folder: Folder = { path, target: join(path, 'target') }
  mkdirSync(path)
  if (workload.kind === 'files' || workload.kind === 'mixed') make(workload.state, folder.target)
  for (const tool of tools) {
    tool.write(workload, folder)
    const command = workload.size > tool.upTo ? undefined : tool.settle?.(workload, folder)
    if (command !== undefined) measure(command, join(path, 'log'), timeoutSeconds)
  }
  for (const scenario of scenarios[workload.kind]) {
    if (listed(values.scenario)?.includes(scenario) ?? true) timeCell(workload, scenario, folder)
  }
  rmSync(path, { recursive: true, force: true })
}
const growth = growthTable(runs)
if (growth !== '') console.log(`\n${growth}`)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(runs, undefined, 1)}\n`)
