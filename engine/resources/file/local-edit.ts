import { hash } from 'node:crypto'
import type { Accounts, Attributes } from '../../host/host.ts'
import type { Change } from '../type.ts'
import { type Blocked, type Comparison, compare, type Entry, type History } from './compare.ts'
import { listOf, shownConflicts } from './conflict-text.ts'
import { merge } from './merge.ts'

/** What somebody did to a file since steward left it. */
interface Edit {
  readonly what: string
  /** Whether the manifests want another version by now. */
  readonly isNewVersion: boolean
}

const REMOVED = 'edited here, and is removed'
const BODY = new Set(['ensure', 'content', 'target'])
/** How a `FileStat` and the record call attributes. */
const KEYS = { mode: 'mode', owner: 'uid', group: 'gid' } as const

/** What is to be done about a path, as the policy for local edits allows. Pure. */
export function settle(entry: Entry, accounts: Accounts): Comparison {
  const found = compare(entry, accounts)
  const { history } = entry
  if (!history) return found
  if ('blocked' in found) return isLeft(entry, history) ? left(entry) : found
  if (found.changes.length === 0) return found
  const edit = editOf(entry, history, found.changes)
  const attributes = editedAttributes(entry, history, found.changes)
  const settled = decide(entry, { history, found, edit, attributes })
  const { policy } = history
  if ('blocked' in settled || (policy !== 'keep' && policy !== 'merge')) return settled
  const stewards = stewardsOf(entry, history, { wanted: found.changes, made: settled.changes })
  if (!stewards) return settled
  return { ...settled, changes: settled.changes.map((change) => ({ ...change, stewards })) }
}

/** Whether `keep` need not ask if what took a file's place may go. */
function isLeft({ stat, mistake }: Entry, { policy, recorded }: History): boolean {
  const isOther = stat !== undefined && stat.kind !== 'file'
  return policy === 'keep' && recorded !== undefined && isOther && mistake === undefined
}

function left({ path, stat }: Entry): Comparison {
  return { ...keeping(`${path} was replaced by a ${stat?.kind} here, and is left so`), changes: [] }
}

/** What is to be done about one that differs. */
function decide(
  entry: Entry,
  {
    history,
    found,
    edit,
    attributes,
  }: {
    readonly history: History
    readonly found: Exclude<Comparison, Blocked>
    readonly edit: Edit | undefined
    readonly attributes: ReadonlySet<string>
  },
): Comparison {
  if (!edit && attributes.size === 0) return found
  const what = edit?.what ?? `given another ${[...attributes].join(' and ')} here`
  const { path } = entry
  const stays = what === REMOVED ? 'edited here' : what
  switch (history.policy) {
    case 'overwrite':
      return {
        ...found,
        changes: found.changes.map((change) =>
          (edit && BODY.has(change.attribute)) || attributes.has(change.attribute)
            ? { ...change, edit: what }
            : change,
        ),
      }
    case 'fail':
      return {
        blocked: `${path} was ${what}, which local_edits does not allow`,
        help: `look at it with: steward local diff ${path}; then choose with --local-edits what becomes of it`,
      }
    case 'keep': {
      const left = kept(found.changes, edit, attributes, `${path} was ${stays}, and is left so`)
      const newVersion = edit?.isNewVersion ? entry.content?.content?.to : undefined
      return newVersion ? { ...left, newVersion } : left
    }
    case 'merge':
      return merged(entry, history, { changes: found.changes, edit, attributes, what })
  }
}

/** Undefined where the body of the file is as steward or a package left it, or was never there. */
function editOf(
  { stat, content }: Entry,
  { recorded, isBase, isNoEdit }: History,
  changes: readonly Change[],
): Edit | undefined {
  // Without a content it is to go, be another type, or only get another mode or owner.
  const goes = changes.some(({ attribute }) => BODY.has(attribute))
  if (content === undefined && !(goes && (recorded ?? stat?.kind === 'file'))) return undefined
  const wanted = content?.content?.to
  const isNewVersion = !recorded || !wanted || digest(wanted) !== recorded.base
  if (!stat) return recorded && { what: 'deleted here', isNewVersion }
  if (!recorded) return isNoEdit ? undefined : { what: 'here before steward', isNewVersion }
  if (stat.kind !== 'file') return { what: `replaced by a ${stat.kind} here`, isNewVersion }
  if (isBase()) return undefined
  const isRemoved = changes.some(({ attribute, to }) => attribute === 'ensure' && to === 'absent')
  if (isRemoved) return { what: REMOVED, isNewVersion }
  return { what: isNewVersion ? 'edited here, and has a new version' : 'edited here', isNewVersion }
}

/** Which of mode, owner and group somebody changed here. */
function editedAttributes(
  { stat }: Entry,
  { recorded }: History,
  changes: readonly Change[],
): Set<string> {
  if (!stat || !recorded || stat.kind !== 'file') return new Set()
  const isEdited: Readonly<Record<string, boolean>> = {
    mode: stat.mode !== recorded.mode,
    owner: stat.uid !== recorded.uid,
    group: stat.gid !== recorded.gid,
  }
  return new Set(
    changes.map(({ attribute }) => attribute).filter((attribute) => isEdited[attribute]),
  )
}

/**
 * What steward gave last, of mode and owner that somebody gave here and that neither are changed nor are what is
 * wanted: a write gives them again, and they are not steward's for that.
 */
function stewardsOf(
  { stat, goal }: Entry,
  { recorded }: History,
  { wanted, made }: { readonly wanted: readonly Change[]; readonly made: readonly Change[] },
): Partial<Attributes> | undefined {
  if (!stat || !recorded || stat.kind !== 'file') return undefined
  const has = (changes: readonly Change[], name: string): boolean =>
    changes.some(({ attribute }) => attribute === name)
  const attributes = (['mode', 'owner', 'group'] as const).filter((name) => {
    const isWanted = goal[name] !== undefined && !has(wanted, name)
    return stat[KEYS[name]] !== recorded[KEYS[name]] && !isWanted && !has(made, name)
  })
  if (attributes.length === 0) return undefined
  return Object.fromEntries(attributes.map((name) => [KEYS[name], recorded[KEYS[name]]]))
}

/** Without the changes of what was edited; of what never was steward's, of anything. */
function kept(
  changes: readonly Change[],
  edit: Edit | undefined,
  attributes: ReadonlySet<string>,
  note: string,
): Exclude<Comparison, Blocked> {
  const isWhole = edit !== undefined && changes.some(({ attribute }) => attribute === 'ensure')
  const left = changes.filter(
    ({ attribute }) =>
      !isWhole && !attributes.has(attribute) && !(edit !== undefined && BODY.has(attribute)),
  )
  return { ...keeping(note), changes: left }
}

function keeping(note: string): { readonly note: string; readonly keepsEdit: true } {
  return { note, keepsEdit: true }
}

function merged(
  entry: Entry,
  { format, recorded, present }: History,
  found: {
    readonly changes: readonly Change[]
    readonly edit: Edit | undefined
    readonly attributes: ReadonlySet<string>
    readonly what: string
  },
): Comparison {
  const { changes, edit, attributes, what } = found
  const { path, content } = entry
  const wanted = content?.content?.to
  // Mode and owner are those of the side that changed them.
  const others = changes.filter(({ attribute }) => !attributes.has(attribute))
  const note = `${path} was ${what}, and is left so`
  if (!edit) return { ...keeping(note), changes: others }
  if (!edit.isNewVersion) return kept(others, edit, attributes, note)
  const base = recorded?.baseContent()
  if (!base || !present || !wanted) return conflict(path, edit, 'there is nothing to merge from')
  const result = merge(base, present, wanted, format)
  if ('unmergeable' in result) return conflict(path, edit, result.unmergeable)
  if ('conflicts' in result)
    return {
      ...conflict(path, edit, `both changed line ${listOf(result.conflicts)}`),
      conflict: shownConflicts(result.conflicts),
    }
  const attributesOnly = others.filter(({ attribute }) => !BODY.has(attribute))
  if (result.merged.equals(present))
    return { ...keeping(note), changes: attributesOnly, base: wanted }
  const change: Change = {
    attribute: 'content',
    from: content?.from,
    to: `sha256:${digest(result.merged).slice(0, 8)}`,
    content: { from: present, to: result.merged, pristine: wanted },
    note: 'merged into what was edited here',
  }
  return { changes: [change, ...attributesOnly] }
}

function conflict(path: string, { what }: Edit, why: string) {
  return {
    blocked: `${path} was ${what}, and can't be merged: ${why}`,
    help: `make of ${path} what it is to be, then: steward local resolve ${path}`,
    conflict: '',
  }
}

function digest(content: Uint8Array): string {
  return hash('sha256', content)
}
