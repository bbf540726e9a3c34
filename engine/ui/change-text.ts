import type { Paint } from '../diagnostics/render.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import type { DueRefresh } from '../due-refreshes.ts'
import { type Action, LATER, type PlannedChange } from '../plan.ts'
import { SECRET } from '../redactor.ts'
import type { Shown } from '../resources/type.ts'

export interface ChangeTextOptions {
  readonly paint: Paint
  /** Tells everything, where otherwise long lists and long values are cut. */
  readonly verbose: boolean
}

const MAX_CHANGES = 6
const MAX_REFS = 2
/** Characters. */
const MAX_VALUE = 120

/**
 * The changes of one resource in a few words: `content +3 -1, mode 0644 → 0640`; of something new its values:
 * `file, root:adm 0640`. Empty where a title says it all.
 */
export function renderChanges(
  changes: readonly PlannedChange[],
  action: Action,
  options: ChangeTextOptions,
): string {
  const made = options.verbose ? new Set<string>() : madeBelow(changes)
  const own = changes.filter(({ attribute }) => !made.has(nameOf(attribute)))
  // What goes is named one by one, however much it is.
  const [gone, others] = [own.filter(isGone), own.filter((change) => !isGone(change))]
  const parts =
    action === 'create' || action === 'later'
      ? newValues(others, options)
      : differences(others, options)
  const shown = options.verbose ? parts : parts.slice(0, MAX_CHANGES)
  if (parts.length > shown.length) shown.push(`and ${parts.length - shown.length} more`)
  if (made.size > 0) shown.push(`${made.size} new below it`)
  return [...differences(gone, options), ...shown].join(', ')
}

function isGone({ attribute, removes }: PlannedChange): boolean {
  return removes !== undefined && /(^|: )ensure$/.test(attribute)
}

/** `restart because file[/etc/x] changes`; in the past for what has been done. */
export function renderRefresh(
  { by, from, owedSince }: DueRefresh,
  options: {
    readonly verb?: string
    readonly tense: 'present' | 'past'
    readonly verbose: boolean
  },
): string {
  const shown = options.verbose || from.length === MAX_REFS + 1 ? from : from.slice(0, MAX_REFS)
  const names = shown.map(visibleLine)
  if (from.length > shown.length) names.push(`${from.length - shown.length} more`)
  const last = names.pop() ?? ''
  const list = names.length === 0 ? last : `${names.join(', ')} and ${last}`
  const present = from.length === 1 ? 'changes' : 'change'
  const isPast = options.tense === 'past' || owedSince !== undefined
  const owed = owedSince === undefined ? '' : `owed since run ${owedSince}, `
  const reason = `${owed}because ${list} ${isPast ? 'changed' : present}`
  if (options.tense === 'past') return reason
  return `${options.verb ?? by}${owed === '' ? '' : ','} ${reason}`
}

function renderChange(change: PlannedChange, options: ChangeTextOptions): string {
  const { from, to, diff } = change
  const attribute = visibleLine(change.attribute)
  if (attribute === 'run') return renderValue(to, options)
  if (to === LATER) return `${attribute} ${LATER}`
  if (from === SECRET || to === SECRET) return `${attribute} ${SECRET}`
  if (diff && 'unshown' in diff) return `${attribute} (${diff.unshown})`
  if (diff) {
    const { paint } = options
    return `${attribute} ${paint('added', `+${diff.added}`)} ${paint('removed', `-${diff.removed}`)}`
  }
  return `${attribute} ${renderValue(from, options)} → ${renderValue(to, options)}`
}

/** The names of what is made inside a tree; their owners and modes would be a list of their own. */
function madeBelow(changes: readonly PlannedChange[]): Set<string> {
  const made = changes.filter(
    ({ attribute, from }) => attribute.endsWith(': ensure') && from === 'absent',
  )
  return new Set(made.map(({ attribute }) => nameOf(attribute)))
}

/** The path inside a tree that an attribute belongs to; empty for the resource itself. */
function nameOf(attribute: string): string {
  return attribute.slice(0, Math.max(0, attribute.lastIndexOf(': ')))
}

/**
 * Owner, group and mode as one; a body that is made anew is only a hash
 * here, and "present" is what making means.
 */
function newValues(changes: readonly PlannedChange[], options: ChangeTextOptions): string[] {
  const values = new Map(changes.map(({ attribute, to }) => [attribute, renderValue(to, options)]))
  const [owner, group, mode] = ['owner', 'group', 'mode'].map((name) => values.get(name))
  const isWhole = owner !== undefined && group !== undefined && mode !== undefined
  return changes.flatMap((change) => {
    const { attribute, to, note } = change
    const value = values.get(attribute)
    if (isWhole && attribute === 'owner') return [`${owner}:${group} ${mode}`]
    if (isWhole && (attribute === 'group' || attribute === 'mode')) return []
    const isMade = attribute === 'ensure' && to === 'present'
    if (isMade || /(^|: )content$/.test(attribute)) {
      if (note === undefined) return []
      return [`${isMade ? '' : `${visibleLine(attribute)} `}(${visibleLine(note)})`]
    }
    return [
      withNote(change, attribute === 'ensure' ? `${value}` : `${visibleLine(attribute)} ${value}`),
    ]
  })
}

function differences(changes: readonly PlannedChange[], options: ChangeTextOptions): string[] {
  return changes.map((change) => withNote(change, renderChange(change, options)))
}

function withNote(change: PlannedChange, text: string): string {
  const { note, edit, to, removes = [] } = change
  const inside = isGone(change) ? removes.slice(to === 'absent' ? 1 : 0) : []
  const lost = inside.length === 0 ? undefined : `with ${inside.join(', ')}`
  const said = [edit, note, lost].filter((part) => part !== undefined).join('; ')
  return said === '' ? text : `${text} (${visibleLine(said)})`
}

function renderValue(value: Shown, { verbose }: ChangeTextOptions): string {
  if (value === undefined) return 'unset'
  if (value === '') return '""'
  if (typeof value === 'object' && value.length === 0) return '(none)'
  const text = visibleLine(typeof value === 'object' ? value.join(', ') : String(value))
  return verbose || text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`
}
