import type { Accounts, FileKind, FileStat } from '../../host/host.ts'
import { formatMode, type Mode, newDirectoryMode, newFileMode, resolveMode } from '../mode.ts'
import type { Change, LocalEdits, Recorded } from '../type.ts'
import type { Ensure } from './desired.ts'
import type { Format } from './settings.ts'

/** What is wanted at one path. */
export interface Goal {
  /** Absent where whatever is there is managed, and nothing made. */
  readonly ensure?: Ensure | undefined
  readonly target?: string | undefined
  readonly owner?: Account | undefined
  readonly group?: Account | undefined
  readonly mode?: Mode | undefined
  readonly force: boolean
  readonly replace: boolean
}

/** A user or group as declared; the number is absent where the host does not know the name yet. */
export interface Account {
  readonly name: string
  readonly id: number | undefined
}

/** One path, as it is to be and as it is. */
export interface Entry {
  /** Below the title, as in `d/app.conf`; empty for the title itself. */
  readonly name: string
  readonly path: string
  readonly goal: Goal
  readonly stat: FileStat | undefined
  /** What the link that is there says. */
  readonly target?: string | undefined
  /** From the bytes that are there, if any, to those that are wanted, where they differ. */
  readonly content?: Change | undefined
  /** Why what is wanted there can't be told. */
  readonly mistake?: Blocked
  /** Every path below a directory that goes or gives way. */
  readonly below?: readonly string[]
  /** Why it is left alone, though nothing wants it. */
  readonly stays?: string | undefined
  /** What is known of it from earlier runs; absent where it is in sync anyway. */
  readonly history?: History | undefined
}

/** What earlier runs left of a file that is not as it is wanted, and what is to become of edits. */
export interface History {
  readonly policy: LocalEdits
  readonly format: Format | undefined
  readonly recorded: Recorded | undefined
  /** The bytes that are there, where it is a file that is not too large to hold. */
  readonly present: Uint8Array | undefined
  /** Whether what is there is the version of the manifests that last went in. */
  readonly isBase: () => boolean
  /**
   * Whether what is there and on no record is nobody's edit all the same: a package brought it, something before it in
   * this run made it, or it is a link of steward's own.
   */
  readonly isNoEdit: boolean
}

/** Why nothing can be done about a path. */
export interface Blocked {
  readonly blocked: string
  readonly help?: string
  /** The lines of a file in which an edit and a new version contradict each other. */
  readonly conflict?: string
}

/** What one path lacks. `note` says what is left as it is on purpose. */
export type Comparison =
  | Blocked
  | {
      readonly changes: readonly Change[]
      readonly note?: string
      /** Set where the note is of an edit that is kept. */
      readonly keepsEdit?: true
      /** The version of the manifests, where the file holds it without a change. */
      readonly base?: Uint8Array
      /** The version of the manifests, where an edit is kept in its place. */
      readonly newVersion?: Uint8Array
    }

const inSync: Comparison = { changes: [] }
const defaultModes = { file: newFileMode, directory: newDirectoryMode }

/** What has to change for the entry to be as it is wanted. Pure. */
export function compare(entry: Entry, accounts: Accounts): Comparison {
  const { goal, stat, path, stays, mistake } = entry
  if (mistake) return mistake
  if (stays !== undefined) return { changes: [], note: stays }
  if (stat === undefined) {
    if (goal.ensure === 'absent') return inSync
    if (goal.ensure !== undefined) return { changes: creation(entry, 'absent') }
    // Nothing is there, and nothing says what to make.
    return inSync
  }
  const isOther =
    goal.ensure !== undefined && goal.ensure !== 'present' && goal.ensure !== stat.kind
  if (isOther && (goal.replace || goal.ensure === 'absent')) return replacement(entry, stat)
  const attributes = attributeChanges(entry, stat, accounts)
  const body = isOther ? [] : bodyChanges(entry, stat)
  if (isOther || (body.length > 0 && !goal.replace)) {
    return {
      changes: attributes,
      note: `${path} is kept: it differs, and is made only where it is missing (replace: false)`,
    }
  }
  if (entry.content !== undefined && stat.kind !== 'file') {
    return { changes: attributes, note: `${path} is a ${stat.kind}, so its content is not managed` }
  }
  return body.length + attributes.length === 0 ? inSync : { changes: [...body, ...attributes] }
}

function replacement(entry: Entry, stat: FileStat): Comparison {
  const { goal, path } = entry
  const isKept = stat.kind === 'file' || stat.kind === 'link'
  if (!isKept && !goal.force) {
    const act = goal.ensure === 'absent' ? 'removed' : `replaced by a ${goal.ensure}`
    const reason = stat.kind === 'directory' ? 'with all that it holds' : "and it can't be kept"
    return {
      blocked: `${path} is a ${stat.kind}, which is ${act} only with force`,
      help: `Set force: true where the ${stat.kind} may go, ${reason}.`,
    }
  }
  const note = isKept || stat.kind === 'directory' ? {} : { note: `a ${stat.kind} can't be kept` }
  const { name, below = [] } = entry
  if (goal.ensure === 'absent') {
    const removes = name === '' && below.length === 0 ? {} : { removes: [path, ...below] }
    return {
      changes: [{ attribute: 'ensure', from: stat.kind, to: 'absent', ...note, ...removes }],
    }
  }
  const removes = below.length === 0 ? {} : { removes: below }
  const [first, ...others] = creation(entry, stat.kind)
  return { changes: [{ ...first, ...note, ...removes }, ...others] }
}

/** Everything that is declared about what is about to be made, so that a plan shows it. */
function creation({ goal, content }: Entry, from: FileKind | 'absent'): [Change, ...Change[]] {
  const kind = goal.ensure === 'directory' || goal.ensure === 'link' ? goal.ensure : 'file'
  const changes: [Change, ...Change[]] = [{ attribute: 'ensure', from, to: kind }]
  if (kind === 'link') changes.push({ attribute: 'target', from: undefined, to: goal.target })
  if (content !== undefined) changes.push(content)
  if (goal.owner) changes.push({ attribute: 'owner', from: undefined, to: goal.owner.name })
  if (goal.group) changes.push({ attribute: 'group', from: undefined, to: goal.group.name })
  if (goal.mode && kind !== 'link') {
    const mode = resolveMode(goal.mode, defaultModes[kind], kind)
    changes.push({ attribute: 'mode', from: undefined, to: formatMode(mode) })
  }
  return changes
}

function bodyChanges({ goal, target, content }: Entry, { kind }: FileStat): Change[] {
  if (content !== undefined && kind === 'file') return [content]
  if (kind !== 'link' || goal.target === undefined || goal.target === target) return []
  return [{ attribute: 'target', from: target, to: goal.target }]
}

function attributeChanges({ goal }: Entry, stat: FileStat, accounts: Accounts): Change[] {
  const changes: Change[] = []
  if (goal.owner && goal.owner.id !== stat.uid) {
    changes.push({ attribute: 'owner', from: accounts.userName(stat.uid), to: goal.owner.name })
  }
  if (goal.group && goal.group.id !== stat.gid) {
    changes.push({ attribute: 'group', from: accounts.groupName(stat.gid), to: goal.group.name })
  }
  // Linux has no modes of links.
  if (goal.mode && stat.kind !== 'link') {
    const kind = stat.kind === 'directory' ? 'directory' : 'file'
    const mode = resolveMode(goal.mode, stat.mode, kind)
    if (mode !== stat.mode) {
      changes.push({ attribute: 'mode', from: formatMode(stat.mode), to: formatMode(mode) })
    }
  }
  return changes
}
