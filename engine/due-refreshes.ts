import { Carriers } from './compile/carriers.ts'
import type { Catalog, CatalogResource, Edge } from './compile/catalog.ts'
import type { States } from './probe.ts'
import type { Change, RefreshKind, ResourceType } from './resources/type.ts'

/** How a resource is to be refreshed, and whose changes asked for it. */
export interface DueRefresh {
  readonly by: RefreshKind
  readonly from: readonly string[]
  /** The run that still owes it; absent where only changes of this run ask for it. */
  readonly owedSince?: string
}

/** A refresh that a change asked for and that was not made: its run was cut off, failed or left the listener out. */
export interface OwedRefresh {
  /** Who is to be refreshed, by reference. */
  readonly listener: string
  /** Whose change asked for it, by reference. */
  readonly source: string
  readonly by: RefreshKind
  /** The run that made the change. */
  readonly run: string
}

/** Who is to be refreshed as far as a plan can know, by index. */
export interface PlannedRefreshes {
  readonly due: ReadonlyMap<number, DueRefresh>
  /** Who may be refreshed or not, with the index of a resource of which it is known later whether it changes. */
  readonly open: ReadonlyMap<number, number>
}

interface Planned {
  readonly catalog: Catalog
  readonly states: States
  readonly types: ReadonlyMap<string, ResourceType>
  readonly owed: readonly OwedRefresh[]
}

/**
 * Who is refreshed, how, and by whom: listeners of what is about to change and those that are still owed it, unless
 * this run starts them itself. Pure.
 */
export function plannedRefreshes({ catalog, states, types, owed }: Planned): PlannedRefreshes {
  const due = new Map<number, DueRefresh>()
  const open = new Map<number, number>()
  const listening = catalog.edges.filter((edge) => edge.refresh !== undefined)
  if (listening.length + owed.length === 0) return { due, open }
  const byListener = Map.groupBy(listening, ({ to }) => to)
  const debts = Map.groupBy(owed, ({ listener }) => listener)
  const carriers = new Carriers(catalog)
  const isRestarted = (index: number) =>
    (due.get(index)?.by ?? 'reload') !== 'reload' || starts(states, index)
  const mayBeRestarted = (index: number) =>
    isRestarted(index) || open.has(index) || states[index]?.kind === 'later'
  // Whether its carrier starts it anew for what is to be read then, after the change of another.
  const isStartedAnew = (index: number, changed: number): boolean => {
    const resource = catalog.resources[index] as CatalogResource
    const type = types.get(resource.type)
    const carrier = carriers.of(index)
    if (!type?.isStartedAnewBy || carrier === undefined || !due.has(carrier)) return false
    if (!carriers.comesAfter(carrier, changed)) return false
    return (byListener.get(carrier) ?? []).some(
      ({ from }) =>
        !catalog.resources[from]?.noop && type.isStartedAnewBy?.(resource, changesOf(states[from])),
    )
  }
  // In order, for an exec that runs on a refresh refreshes others in turn.
  for (const index of catalog.order) {
    const { ref, type } = catalog.resources[index] as CatalogResource
    const edges = byListener.get(index) ?? []
    const owing = debts.get(ref) ?? []
    if (
      edges.length + owing.length === 0 ||
      !states[index] ||
      !types.get(type)?.refresh ||
      isLeftAlone(states[index]) ||
      startsItself(states, index)
    )
      continue
    let own: DueRefresh | undefined
    let cause: number | undefined
    const mayBeFresh = (from: number) => carriers.isFresh(index, from, mayBeRestarted)
    for (const debt of owing) {
      if (carriers.isFresh(index, -1, isRestarted)) continue
      if (mayBeFresh(-1)) cause = carriers.of(index)
      else own = withOwed(own, debt)
    }
    for (const edge of edges) {
      const { from, refresh } = edge
      const source = catalog.resources[from] as CatalogResource
      if (source.noop || carriers.isFresh(index, from, isRestarted)) continue
      if (isStartedAnew(index, from)) continue
      const isRun = source.type === 'exec' && due.has(from)
      const isSure =
        calls(edge, source, states[from], types) || (isRun && !mayDecline(source, types))
      if (isSure && mayBeFresh(from)) cause ??= carriers.of(index)
      else if (isSure) own = withSource(own, refresh as RefreshKind, source.ref)
      else if (
        isRun ||
        states[from]?.kind === 'later' ||
        (source.type === 'exec' && open.has(from))
      )
        cause ??= from
    }
    if (own) due.set(index, own)
    else if (cause !== undefined) open.set(index, cause)
  }
  return { due, open }
}

function mayDecline(
  { type, desired }: CatalogResource,
  types: ReadonlyMap<string, ResourceType>,
): boolean {
  return types.get(type)?.mayDecline?.(desired) === true
}

/** What is due once one more change asks for it. */
export function withSource(
  due: DueRefresh | undefined,
  by: RefreshKind,
  source: string,
): DueRefresh {
  if (!due) return { by, from: [source] }
  const from = due.from.includes(source) ? due.from : [...due.from, source]
  return { ...due, by: strongerRefresh(due.by, by), from }
}

/** What is due with what an earlier run left owing; the earliest such run is named. */
export function withOwed(
  due: DueRefresh | undefined,
  { by, source, run }: OwedRefresh,
): DueRefresh {
  const { owedSince = run } = due ?? {}
  return { ...withSource(due, by, source), owedSince: owedSince < run ? owedSince : run }
}

/** The order stronger first: a restart makes a reload needless. */
const STRENGTH: Readonly<Record<RefreshKind, number>> = { refresh: 2, restart: 2, reload: 1 }

/** The stronger of two ways to refresh. */
function strongerRefresh(a: RefreshKind | undefined, b: RefreshKind): RefreshKind {
  return a !== undefined && STRENGTH[a] >= STRENGTH[b] ? a : b
}

/** Whether what is about to change of a resource calls for the refresh that the edge stands for. */
function calls(
  { kind }: Edge,
  source: CatalogResource,
  state: States[number],
  types: ReadonlyMap<string, ResourceType>,
): boolean {
  const changes = changesOf(state)
  if (changes.length === 0) return false
  return kind !== 'reads' || types.get(source.type)?.staysRead?.(source, changes) !== true
}

/** None of what is known later, or can't be done. */
function changesOf(state: States[number]): readonly Change[] {
  return state?.kind === 'known' && 'changes' in state.verdict ? (state.verdict.changes ?? []) : []
}

/** Whether this run starts it as things stand. */
function starts(states: States, index: number): boolean {
  return changesOf(states[index]).some(isStart)
}

export function isStart({ attribute, to }: Change): boolean {
  return attribute === 'ensure' && to === 'running'
}

function startsItself(states: States, index: number): boolean {
  const state = states[index]
  return state?.kind === 'later' || startsAnew(changesOf(state))
}

/** Whether changes need no refresh beside them: a service that starts reads its files anew, an exec runs once. */
export function startsAnew(changes: readonly Change[]): boolean {
  return changes.some(
    ({ attribute, to }) =>
      attribute === 'run' || (attribute === 'ensure' && (to === 'running' || to === 'stopped')),
  )
}

/** Whether it may differ, and nothing is done about it in this tree. */
export function isLeftAlone(state: States[number]): boolean {
  return state?.kind === 'known' && 'leftAlone' in state.verdict
}
