import { hash } from 'node:crypto'
import type { Accounts, Host, HostReader } from '../host/host.ts'
import { Conffiles } from './conffiles.ts'
import { withAdopted } from './file/adopted.ts'
import { applyTo } from './file/apply.ts'
import type { Entry } from './file/compare.ts'
import { contentChange, isTooLarge } from './file/content.ts'
import { settle } from './file/local-edit.ts'
import type { Format } from './file/settings.ts'
import type { Change, ProbeContext, Verdict } from './type.ts'

/*
 * For types that keep one small file of their own: root's, mode 0644, written whole. It is a file like any other, and
 * what somebody did to it here is treated as an edit of one is.
 */

/** The file as it is to be and as it is. */
export interface FoundFile {
  readonly entry: Entry
  readonly accounts: Accounts
}

const root = { name: 'root', id: 0 }
const owned = { owner: root, group: root, mode: { octal: 0o644 } }

/** Looks at files, each of which is to hold exactly the text, or to be gone where there is none. */
export function wholeFileProbe(
  host: HostReader,
  context: ProbeContext | undefined,
): (path: string, text: string | undefined, format?: Format) => FoundFile {
  const accounts = host.accounts()
  const conffiles = new Conffiles(host)
  const files = context?.files
  return (path, text, format) => {
    const stat = host.stat(path)
    const goal = { force: false, replace: true }
    const adopted = files?.adopted?.get(path)
    const wanted =
      text === undefined ? undefined : withAdopted(Buffer.from(text), path, { adopted, format })
    const isMistaken = wanted !== undefined && 'blocked' in wanted
    const entry: Entry = {
      name: '',
      path,
      goal:
        text === undefined ? { ...goal, ensure: 'absent' } : { ...goal, ...owned, ensure: 'file' },
      stat,
      ...(isMistaken
        ? { mistake: wanted }
        : { content: wanted && contentChange(wanted, path, stat, host) }),
    }
    if (!files) return { entry, accounts }
    const isHeld = stat?.kind === 'file' && !isTooLarge(stat)
    const present = isHeld ? host.read(path) : undefined
    const recorded = files.recorded(path)
    const isNoEdit =
      !recorded &&
      (files.isNew?.(path) === true ||
        (present !== undefined && conffiles.isAsBrought(path, present)))
    const isBase = (): boolean =>
      present !== undefined && hash('sha256', present) === recorded?.base
    const policy = files.localEdits ?? files.otherwise ?? 'overwrite'
    return {
      entry: { ...entry, history: { policy, format, recorded, present, isBase, isNoEdit } },
      accounts,
    }
  }
}

type Blocked = Extract<Verdict, { readonly blocked: string }>
type Told = Exclude<Verdict, Blocked | { readonly unknown: string }>

/** What makes it so, as far as edits may be overwritten. */
export function diffWholeFile({ entry, accounts }: FoundFile): Blocked | Told {
  const { path, stat } = entry
  if (stat !== undefined && stat.kind !== 'file' && stat.kind !== 'link')
    return { blocked: `${path} is a ${stat.kind}`, help: 'Move it away.' }
  const found = settle(entry, accounts)
  if ('blocked' in found) return found
  const { note, keepsEdit, base, newVersion } = found
  return {
    changes: told(found.changes, path),
    ...(note === undefined ? {} : { note }),
    ...(keepsEdit ? { keepsEdit } : {}),
    ...(base ? { bases: [{ path, content: base }] } : {}),
    ...(newVersion ? { newVersions: [{ path, content: newVersion }] } : {}),
  }
}

const BODY = new Set(['ensure', 'content'])

/** Of what is made anew, who owns it goes without saying. */
function told(changes: readonly Change[], path: string): Change[] {
  const isNew = changes.some(({ attribute }) => attribute === 'ensure')
  return changes
    .filter(({ attribute }) => !isNew || BODY.has(attribute))
    .map((change) => ({
      ...change,
      ...(change.attribute === 'ensure' && change.from === 'absent' ? { to: 'present' } : {}),
      ...(change.edit === undefined ? {} : { at: path }),
    }))
}

/** Makes the changes that `diffWholeFile` told. */
export function applyWholeFile(host: Host, path: string, changes: readonly Change[]): void {
  if (changes.length > 0)
    applyTo(path, new Map(changes.map((change) => [change.attribute, change])), host)
}
