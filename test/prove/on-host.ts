/**
 * Applies mutants of a catalog on the host that it runs on; proof-on-hosts.series.ts starts it there, in hosts of
 * its own. Prints one JSON text.
 *
 *   on-host.mjs edges CLASS…           the edges at packages and services that are still to be done here
 *   on-host.mjs try FROM TO NTH CLASS… applies without the edge FROM → TO, in the nth order that allows it; "-" "-"
 *                                      takes no edge away
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Catalog } from '../../engine/compile/catalog.ts'
import { Refusal } from '../../engine/diagnostics/diagnostic.ts'
import { compileCatalog, type Loaded, load, preview } from '../../engine/index.ts'
import type { Plan } from '../../engine/plan.ts'
import { prove } from '../../engine/prove/prove.ts'
import { withHiddenContents } from '../../engine/record/in-sync-files.ts'
import { pastOf } from '../../engine/record/past.ts'
import { Store } from '../../engine/record/store.ts'
import { paths } from '../../engine/zulip/paths.ts'
import { tripWith } from '../apply/trip.ts'
import type { HostEdge, HostTrial } from './host-trial.ts'
import { Simulation, seeded } from './simulation.ts'

const SEED = 20_260_301
const state = '/root/on-host-state'

const [command, ...args] = process.argv.slice(2)
try {
  if (command === 'edges') console.log(JSON.stringify(await edges(args)))
  else {
    const [from = '', to = '', nth = '', ...classes] = args
    console.log(JSON.stringify(await tryOne({ from, to }, Number(nth), classes)))
  }
} catch (error) {
  if (error instanceof Refusal) console.error(JSON.stringify(error.diagnostics))
  throw error
}

function loaded(classes: readonly string[]) {
  return load({
    root: '/',
    state,
    manifests: [],
    paths,
    instead: {},
    classes,
    with: {},
    mayKeep: false,
  })
}

async function planOf({ host }: Loaded, catalog: Catalog): Promise<Plan> {
  const store = Store.open(state)
  try {
    const past = pastOf(store, {}, { settings: {} })
    const selection = { tags: [], only: [] }
    return (await preview(host, withHiddenContents(catalog, past.secretPaths), { selection, past }))
      .plan
  } finally {
    store.close()
  }
}

async function edges(classes: readonly string[]): Promise<HostEdge[]> {
  const road = await loaded(classes)
  const { catalog } = compileCatalog(road)
  const plan = await planOf(road, catalog)
  const open = new Set(plan.resources.map(({ index }) => index))
  const acts = (index: number) =>
    ['package', 'service'].includes(catalog.resources[index]?.type ?? '')
  return catalog.edges
    .filter(({ from, to }) => open.has(from) && open.has(to) && (acts(from) || acts(to)))
    .map((edge) => ({
      from: catalog.resources[edge.from]?.ref ?? '',
      to: catalog.resources[edge.to]?.ref ?? '',
    }))
}

async function tryOne(
  { from, to }: HostEdge,
  nth: number,
  classes: readonly string[],
): Promise<HostTrial> {
  const road = await loaded(classes)
  const { catalog: whole } = compileCatalog(road)
  const refOf = (index: number) => whole.resources[index]?.ref
  const mutant: Catalog = {
    ...whole,
    edges: whole.edges.filter((edge) => !(refOf(edge.from) === from && refOf(edge.to) === to)),
  }
  const [order] = new Simulation(whole, seeded(SEED)).orders(mutant).drop(nth).take(1)
  const { events } = await tripWith(
    { root: '/', state },
    {
      ...mutant,
      order: order ?? whole.order,
      // Each package has its own place in the order.
      batches: new Int32Array(whole.resources.length).fill(-1),
    },
  )
  const harms = events.flatMap((event) =>
    event.type === 'resource_finished' && event.outcome === 'failed'
      ? [`${event.ref} fails: ${event.error?.message}`]
      : [],
  )
  const plan = await planOf(road, whole)
  for (const { ref, action } of plan.resources)
    harms.push(`${ref} is left for another run (${action})`)
  harms.push(...unheard(whole))
  return { harms, isFound: prove(mutant, road.library.sources).findings.length > 0 }
}

/** Services whose newest process is older than a file that they are told of. */
function unheard({ resources, edges: all }: Catalog): string[] {
  return all.flatMap((edge) => {
    const [source, service] = [resources[edge.from], resources[edge.to]]
    if (edge.refresh === undefined || source?.type !== 'file' || service?.type !== 'service')
      return []
    const started = newestStart(service.title)
    if (started === undefined || !existsSync(source.title)) return []
    return statSync(source.title).mtimeMs > started
      ? [`${service.ref} goes on with what ${source.ref} replaced`]
      : []
  })
}

/** When the newest process of a unit began, in milliseconds since the epoch; undefined where none runs. */
function newestStart(unit: string): number | undefined {
  const group = join('/sys/fs/cgroup', ownGroup(), 'system.slice', `${unit}.service`)
  if (!existsSync(group)) return undefined
  const pids = readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)
  const ages = pids.map((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The 22nd field, in hundredths of a second since the machine began; the name before it may hold blanks.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) * 10
  })
  const upMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000
  return ages.length === 0 ? undefined : Date.now() - upMs + Math.max(...ages)
}

/** The group of the host's own root, where it does not see itself at the top. */
function ownGroup(): string {
  if (readdirSync('/sys/fs/cgroup').includes('system.slice')) return ''
  const [, path = ''] = readFileSync('/proc/1/cgroup', 'utf8').trim().split('::')
  return path.replace(/\/init\.scope$/, '')
}
