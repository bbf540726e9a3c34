import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { Event } from '../../engine/events.ts'
import type { Plan, PlannedChange, PlannedResource } from '../../engine/plan.ts'
import type { EventRow, RunRow } from '../../engine/record/runs.ts'

/** How the events of a run compare with the plan that was made just before it. */
export interface Truth {
  /** Of the resources that are planned or changed: how many ended as the plan says. */
  readonly held: number
  /** By type, how many the plan told of, and how many of these as known after apply. */
  readonly types: Readonly<Record<string, { readonly told: number; readonly later: number }>>
  /** What was begun as planned and failed while it was made, and what that kept from being made. */
  readonly failed: number
  /** What came otherwise, in words. */
  readonly wrong: readonly string[]
}

type Finished = Extract<Event, { type: 'resource_finished' }>

/** Compares each resource of a plan with its end, and each end with the plan; what was not reached is left out. */
export function truthOf(plan: Plan, events: readonly Event[]): Truth {
  const planned = new Map(plan.resources.map((resource) => [resource.ref, resource]))
  const ends = events.filter((event) => event.type === 'resource_finished')
  const isWhole = events.some(
    (event) => event.type === 'run_finished' && event.summary.status !== 'interrupted',
  )
  const ended = new Map(ends.map((end) => [end.ref, end]))
  const brokenBy = new Set(ends.filter(failedInTheMaking).map(({ ref }) => ref))
  const backs = events.filter((event) => event.type === 'put_back')
  const isLater = (ref: string) => planned.get(ref)?.action === 'later'
  const types: Record<string, { told: number; later: number }> = {}
  const wrong: string[] = []
  let [held, failed] = [0, 0]
  for (const ref of new Set([...planned.keys(), ...ended.keys()])) {
    const resource = planned.get(ref)
    const end = ended.get(ref)
    if (!resource && isLeftAsItWas(end, planned)) continue
    if (!end && !isWhole) continue
    const type = ref.slice(0, ref.indexOf('['))
    types[type] ??= { told: 0, later: 0 }
    types[type].told++
    const isBroken = end && (brokenBy.has(ref) || brokenBy.has(end.cause ?? ''))
    if (resource && (resource.action === 'later' || isToFindOut(resource))) types[type].later++
    else if (isBroken && (resource || end.outcome === 'skipped')) failed++
    else if (isByPutBack(ref, { end, resource, backs })) failed++
    else {
      const why = difference(resource, end, isLater)
      if (why === undefined) held++
      else wrong.push(`${ref}: ${why}`)
    }
  }
  return { held, types, failed, wrong }
}

/** Nothing was to be done to it, and nothing was; behind what the plan has blocked it is not even looked at. */
function isLeftAsItWas(
  end: Finished | undefined,
  planned: ReadonlyMap<string, PlannedResource>,
): boolean {
  if (end?.outcome === 'unchanged') return true
  return end?.outcome === 'skipped' && planned.get(end.cause ?? '')?.action === 'blocked'
}

/** A plan can't know that a command will fail: only that it will be run. */
function failedInTheMaking({ outcome, error }: Finished): boolean {
  return outcome === 'failed' && error?.code !== 'blocked'
}

/** What it runs under made it fail by what came back then, or what was to be read anew has come back before it was. */
function isByPutBack(
  ref: string,
  {
    end,
    resource,
    backs,
  }: {
    readonly end: Finished | undefined
    readonly resource: PlannedResource | undefined
    readonly backs: readonly Extract<Event, { type: 'put_back' }>[]
  },
): boolean {
  if (end?.outcome === 'failed') return backs.some((back) => back.ref === ref)
  const isBack = (source: string) =>
    backs.some(({ paths }) => paths.some((path) => source === `file[${path}]`))
  const isLeft = end === undefined || end.outcome === 'unchanged'
  return isLeft && resource?.refresh?.from.every(isBack) === true
}

/** Its state can't be told, and the apply of its type finds out. */
function isToFindOut({ action, changes }: PlannedResource): boolean {
  return action === 'unknown' && changes.length > 0
}

function difference(
  resource: PlannedResource | undefined,
  end: Finished | undefined,
  isLater: (ref: string) => boolean,
): string | undefined {
  // What is in sync with nothing to be said of it is not always told of.
  const { outcome = 'unchanged', changes = [], refresh, note = '' } = end ?? {}
  const expected = expectedOutcome(resource)
  const said = note === '' ? '' : ` (${note})`
  if (outcome !== expected) return `${expected} was planned, and it was ${outcome}${said}`
  if (outcome === 'failed' || outcome === 'skipped' || resource?.noop) return undefined
  const before = changesText(resource?.changes ?? [])
  const after = changesText(withoutWhatComesLater(changes, resource?.changes ?? []))
  if (before !== after) return `planned was ${before}, and what came was ${after}`
  return refreshDifference(resource?.refresh, refresh, isLater)
}

function expectedOutcome(resource: PlannedResource | undefined): Finished['outcome'] {
  if (!resource) return 'unchanged'
  const { action, noop, because = '', changes } = resource
  if (action === 'blocked') return because.startsWith('it waits for ') ? 'skipped' : 'failed'
  if (action === 'unknown') return 'failed'
  if (noop) return changes.length > 0 ? 'noop' : 'unchanged'
  return changes.length > 0 ? 'changed' : 'refreshed'
}

/** What a program that does not run goes through by itself, from one moment to the next. */
const RESTLESS: readonly unknown[] = ['starting', 'restarting in a loop', 'failed']

function changesText(changes: readonly PlannedChange[]): string {
  const texts = changes.map(({ attribute, from, to }) => {
    const was = attribute === 'ensure' && RESTLESS.includes(from) ? 'not running' : String(from)
    return attribute === 'run' ? attribute : `${attribute}: ${was} -> ${String(to)}`
  })
  return texts.length === 0 ? 'nothing' : texts.join(', ')
}

const LATER = '(known after apply)'

/** A secret that the run makes up has no value when it is planned. */
function withoutWhatComesLater(
  made: readonly PlannedChange[],
  planned: readonly PlannedChange[],
): PlannedChange[] {
  return made.map((change, at) => (planned[at]?.to === LATER ? { ...change, to: LATER } : change))
}

/** What is known after apply may ask for a refresh besides. */
function refreshDifference(
  planned: PlannedResource['refresh'],
  made: Finished['refresh'],
  isLater: (ref: string) => boolean,
): string | undefined {
  const from = (planned?.from ?? []).toSorted().join(', ')
  const known = (made?.from ?? []).filter((ref) => planned?.from.includes(ref) || !isLater(ref))
  const came = known.toSorted().join(', ')
  if (from !== came) return `a refresh by [${from}] was planned, and it came by [${came}]`
  return planned && made && planned.by !== made.by && known.length === made.from.length
    ? `a ${planned.by} was planned, and a ${made.by} made`
    : undefined
}

/** The file that all comparisons of this test run go to, a line each; undefined where nobody asks for their sum. */
const file = process.env.STEWARD_TRUTH

export function count(truth: Truth): void {
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(truth)}\n`)
}

/** The sum of all comparisons in a file, for people. */
export function truthLines(path: string): string[] {
  if (!existsSync(path)) return ['no plan was compared with what came of it']
  const all = readFileSync(path, 'utf8').trim().split('\n')
  const truths = all.map((line) => JSON.parse(line) as Truth)
  const sum = (of: (truth: Truth) => number) =>
    truths.reduce((total, truth) => total + of(truth), 0)
  const [held, failed] = [sum((truth) => truth.held), sum((truth) => truth.failed)]
  const wrong = sum((truth) => truth.wrong.length)
  const later = sum(({ types }) =>
    Object.values(types).reduce((total, own) => total + own.later, 0),
  )
  const names = [...new Set(truths.flatMap(({ types }) => Object.keys(types)))].toSorted()
  const shares = names.flatMap((name) => {
    const [own, told] = [
      sum(({ types }) => types[name]?.later ?? 0),
      sum(({ types }) => types[name]?.told ?? 0),
    ]
    return own === 0 ? [] : [`${name} ${own} of ${told}`]
  })
  return [
    `${held} of ${held + wrong} events as predicted, in ${truths.length} runs; beside them ${failed} that failed while they were made`,
    `${later} known after apply${later === 0 ? '' : `: ${shares.join(', ')}`}`,
  ]
}

/** What came otherwise than predicted, in the comparisons of a file. */
export function untruths(path: string): string[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return lines.flatMap((line) => (JSON.parse(line) as Truth).wrong)
}

/** Where a run may come otherwise than its plan says, each with its reason. */
const EXCEPTIONS: readonly RegExp[] = [
  // What is only restarted is not asked whether it runs, so that a run with nothing to do asks supervisor nothing.
  /^supervisor_program\[.*: refreshed was planned, and it was unchanged \(it does not run, so it is not restarted\)$/,
  // It was started for another reason after what it reads had changed, which only its process tells.
  /^supervisor_program\[go-camo\]: changed was planned, and it was unchanged \(it was started after what it reads was changed\)$/,
  // A package's script had made what it makes, so that it only ran because it was told to: once, as planned.
  /^exec\[newaliases\]: changed was planned, and it was refreshed$/,
  // Links that a package's scripts make are in no table of packages.
  /^file\[\/etc\/apache2\/mods-enabled\/setenvif\.(load|conf)\]: changed was planned, and it was unchanged$/,
  // userdel takes along the group that is named after its user, unless login.defs says otherwise.
  /^group\[.*: changed was planned, and it was unchanged$/,
  // Before apt has fetched its lists nobody knows the version.
  /^package\[apache2\]: planned was ensure: absent -> present, and what came was ensure: absent -> [^,]+$/,
]

/** Throws where a run came otherwise than its plan says, but for the resources that are named as surprises. */
export function expectAsPlanned(
  plan: Plan,
  events: readonly Event[],
  {
    meanwhile,
    surprises = [],
  }: {
    /** Set where another hand was on the host between the two. */
    readonly meanwhile?: unknown
    readonly surprises?: readonly string[] | 'any'
  } = {},
): void {
  if (meanwhile !== undefined || surprises === 'any') return
  const truth = truthOf(plan, events)
  count(truth)
  const wrong = truth.wrong.filter(
    (text) =>
      !surprises.some((ref) => text.startsWith(`${ref}: `)) &&
      !EXCEPTIONS.some((exception) => exception.test(text)),
  )
  if (wrong.length > 0) throw new Error(`the plan said otherwise:\n${wrong.join('\n')}`)
}

/** The arguments that preview what `args` would do; undefined where they do nothing that a plan tells of. */
export function previewOf(args: readonly string[]): string[] | undefined {
  const [command, act] = args
  const isMeant =
    command === 'apply' || command === 'undo' || (command === 'bucket' && act === 'restore')
  const isOther = ['--dry-run', '-n', '--plan', '--restart', '--abandon'].some((flag) =>
    args.includes(flag),
  )
  if (!isMeant || isOther) return undefined
  return [...args.filter((arg) => arg !== '--yes' && arg !== '-y'), '--dry-run', '--json']
}

/** The plan in what a dry run printed with `--json`; undefined where it was refused, or of a procedure. */
export function predictedBy(stdout: string): Plan | undefined {
  const line = stdout.split('\n').findLast((text) => text.startsWith('{"type":"plan",'))
  return line === undefined ? undefined : (JSON.parse(line) as Plan)
}

/** The events of a run as it is on record. */
export function eventsOf(
  { summary }: Pick<RunRow, 'summary'>,
  rows: readonly Pick<EventRow, 'event'>[],
): Event[] {
  const events = rows.map(({ event }) => event as Event)
  return summary ? [...events, { type: 'run_finished', summary }] : events
}
