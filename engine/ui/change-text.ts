import type { Paint } from '../diagnostics/render.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import { type Action, type PlannedChange, type PlannedResource, SECRET } from '../plan.ts'
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

/** The changes of one resource in a few words: `content +3 -1, mode 0644 → 0640`. Empty where a title says it all. */
export function renderChanges(
  changes: readonly PlannedChange[],
  action: Action,
  options: ChangeTextOptions,
): string {
  const isNew = action === 'create' || action === 'later'
  const told = isNew ? changes.filter(isWorthTelling) : changes
  const shown = options.verbose ? told : told.slice(0, MAX_CHANGES)
  const parts = shown.map((change) => {
    const text = isNew ? newValue(change, options) : renderChange(change, options)
    return change.note === undefined ? text : `${text} (${visibleLine(change.note)})`
  })
  if (told.length > shown.length) parts.push(`and ${told.length - shown.length} more`)
  return parts.join(', ')
}

/** `restart because file[/etc/x] changes`; in the past for what has been done. */
export function renderRefresh(
  { by, from }: NonNullable<PlannedResource['refresh']>,
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
  const reason = `because ${list} ${options.tense === 'past' ? 'changed' : present}`
  return options.tense === 'past' ? reason : `${options.verb ?? by} ${reason}`
}

function renderChange(change: PlannedChange, options: ChangeTextOptions): string {
  const { from, to, diff } = change
  const attribute = visibleLine(change.attribute)
  if (attribute === 'run') return renderValue(to, options)
  if (from === SECRET || to === SECRET) return `${attribute} ${SECRET}`
  if (diff && 'unshown' in diff) return `${attribute} (${diff.unshown})`
  if (diff) {
    const { paint } = options
    return `${attribute} ${paint('added', `+${diff.added}`)} ${paint('removed', `-${diff.removed}`)}`
  }
  return `${attribute} ${renderValue(from, options)} → ${renderValue(to, options)}`
}

/** A body that is made anew is only a hash here, and "present" is what making means. */
function isWorthTelling({ attribute, to, note }: PlannedChange): boolean {
  if (note !== undefined) return true
  return !/(^|: )content$/.test(attribute) && !(attribute === 'ensure' && to === 'present')
}

function newValue({ attribute, to }: PlannedChange, options: ChangeTextOptions): string {
  const value = renderValue(to, options)
  return attribute === 'ensure' ? value : `${visibleLine(attribute)} ${value}`
}

function renderValue(value: Shown, { verbose }: ChangeTextOptions): string {
  if (value === undefined) return 'unset'
  if (value === '') return '""'
  if (typeof value === 'object' && value.length === 0) return '(none)'
  const text = visibleLine(typeof value === 'object' ? value.join(', ') : String(value))
  return verbose || text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`
}
