import type { Attributes, Host, HostReader } from '../host/host.ts'

/**
 * Something on a host that resources need, make or write, as one key:
 * `path:/etc/x`, `user:zulip`, `group:zulip`, `command:nginx`, `unit:nginx.service`, `package:nginx`. A
 * `service:nginx.service` is a unit that runs. What lies in a server is named after the type that makes it.
 */
export type Thing = `${ThingKind}:${string}`

type ThingKind =
  | 'path'
  | 'user'
  | 'group'
  | 'command'
  | 'unit'
  | 'package'
  | 'service'
  | 'postgresql_cluster'
  | 'postgresql_role'
  | 'postgresql_database'
  | 'rabbitmq_vhost'
  | 'rabbitmq_user'

/**
 * From the desired state alone, what a resource has to do with the rest of the host. Everything is optional.
 */
export interface Footprint {
  /**
   * Must be there first: a resource of the catalog that ensures or provides it comes before; if none does and
   * the host lacks it, the resource is blocked.
   */
  readonly needs?: readonly Thing[]
  /** Only orders: comes after whatever ensures or provides it (a link's target). */
  readonly after?: readonly Thing[]
  /**
   * What it acts on and does not make: while it is missing and something before is about to bring it, the state of
   * this resource is not known yet.
   */
  readonly manages?: readonly Thing[]
  /** What this resource makes sure is there. */
  readonly ensures?: readonly Thing[]
  /** Set where what it ensures is a path that nothing can lie below. */
  readonly isLeaf?: true
  /** What this resource makes sure is gone; turns the order of needs round. */
  readonly removes?: readonly Thing[]
  /** What comes along besides: a package's users, units, directories and files. */
  readonly provides?: readonly Thing[]
  /**
   * Set where it brings things that nobody knows beforehand, such as a package that no table describes: it
   * comes before what is declared after it and needs something that nothing else brings.
   */
  readonly bringsUnknown?: true
  /** Path globs below which it may write besides what it ensures. */
  readonly writes?: readonly string[]
  /** Only orders: comes before whatever ensures, provides or removes it (a package, whose questions are answered). */
  readonly before?: readonly Thing[]
  /** A directory that is another one while this holds, such as a mount point: all that lies below comes after. */
  readonly covers?: string
  /** Set where it decides all that is in the file that it ensures. */
  readonly isWhole?: true
  /**
   * Parts of files that it keeps: the path, and a name for the part by which two resources that keep the same are
   * found. `isGone` where the part is only to be absent.
   */
  readonly edits?: readonly {
    readonly path: string
    readonly part: string
    readonly isGone?: boolean
  }[]
  /**
   * What it reads while it runs: paths (globs) or references; a change there
   * comes before and refreshes it in this way.
   */
  readonly reads?: readonly { readonly on: string; readonly by: RefreshKind }[]
  /** What it runs under: a restart of that is one of this too, so that what changed before needs no second one. */
  readonly restartsWith?: Thing
}

export type RefreshKind = 'refresh' | 'reload' | 'restart'

/** A declared resource with its attributes evaluated and checked. */
export interface Resource<Desired extends object = object> {
  /** As written for people: `service[nginx]`. */
  readonly ref: string
  readonly type: string
  readonly title: string
  /** The attributes, without metaparameters; one that is absent is left as it is on the host. */
  readonly desired: Desired
  /** Attributes whose values are never shown; `*` for all of them. None when absent. */
  readonly sensitive?: ReadonlySet<string>
}

/** What people see as a value in a plan. */
export type Shown = string | number | boolean | readonly string[] | undefined

/** One attribute that is to differ. */
export interface Change {
  readonly attribute: string
  readonly from: Shown
  readonly to: Shown
  /** For the body of a file: the bytes themselves, from which the plan makes its diff. */
  readonly content?: {
    readonly from: Uint8Array | undefined
    readonly to: Uint8Array | undefined
    /** The version of the manifests, where an edit was merged into it. */
    readonly pristine?: Uint8Array
  }
  /** Said behind the change, such as "a socket can't be kept". */
  readonly note?: string
  /** Every path that is gone after it, where that is not just the resource's own. */
  readonly removes?: readonly string[]
  /** What somebody did here to what is changed, such as "edited here"; absent where it is as steward left it. */
  readonly edit?: string
  /** Where that file lies, where the names of the resource and the attribute don't say it: a link was followed. */
  readonly at?: string
  /** What steward last gave, of the mode and owner that somebody gave it here and that stay. */
  readonly stewards?: Partial<Attributes>
}

/**
 * What `diff` finds. In sync is an empty list; `note` then says why nothing is done ("kept", "package will bring
 * it"). `leftAlone` says that it may well differ, and that nothing is done about it here and now.
 */
export type Verdict =
  | {
      readonly changes: readonly Change[]
      readonly note?: string
      readonly leftAlone?: true
      /** An edit made here is kept: in sync with it, and not with the manifests. */
      readonly keepsEdit?: true
      /** Files that need no change to hold their version of the manifests, which from now on is their base. */
      readonly bases?: readonly { readonly path: string; readonly content: Uint8Array }[]
      /** Of a file in sync: the record may have another version of the manifests for what it holds, or none. */
      readonly isUnsettled?: true
      /** In sync for the server that could tell is not there: one that comes may bring what is to be absent. */
      readonly isUnasked?: true
      /** Versions of the manifests that are not put in place, for an edit is kept there. */
      readonly newVersions?: readonly { readonly path: string; readonly content: Uint8Array }[]
    }
  | {
      readonly blocked: string
      readonly help?: string
      /** Where a local edit and a new version contradict each other: the lines of both. */
      readonly conflict?: string
    }
  /**
   * The state can't be told, and why. A dry run says so and goes on, as neither change nor failure. An
   * apply is refused with the reason and fails the resource; but where `changes` are given, `apply` is
   * called with them and finds out itself, and its outcome's note says what it found.
   */
  | { readonly unknown: string; readonly changes?: readonly Change[] }

/** What running a resource printed; kept for the report. */
export interface Outcome {
  readonly output?: string
  /** What really changed, where `apply` knows better than `changes` (a purge that found less). */
  readonly note?: string
  /** Nothing was done after all, for the reason in `note`: no change, and nobody is refreshed for it. */
  readonly idle?: true
}

/** An `apply` or `refresh` that did not work: a sentence for people, with the command where one ran. */
export class ApplyError extends Error {
  readonly help: string | undefined
  /** What is there, over several lines. */
  readonly found: string | undefined
  readonly ran:
    | { readonly argv: readonly string[]; readonly exit: string; readonly output: string }
    | undefined
  /** Set where a check refused it before anything was told to what it is about. */
  readonly isUntouched: boolean
  constructor(
    message: string,
    details: {
      readonly help?: string
      readonly found?: string
      readonly ran?: ApplyError['ran']
      readonly isUntouched?: true
      readonly cause?: unknown
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'ApplyError'
    this.help = details.help
    this.found = details.found
    this.ran = details.ran
    this.isUntouched = details.isUntouched ?? false
  }
}

/** What a probe may know of the rest of the catalog. */
export interface ProbeContext {
  /**
   * Everything that a resource of the whole catalog ensures or removes, also of those that
   * `--tags` leaves out. A directory that recurses leaves these paths to their own resources, and
   * purges neither them nor what leads to them.
   */
  readonly declared: ReadonlySet<Thing>
  /** Set where other classes of the host are left out, whose files are no strangers: nothing is purged then. */
  readonly isPartial?: true
  /** What is known of files from earlier runs; absent where nobody asks what was edited here. */
  readonly files?: FileHistory
}

export interface FileHistory {
  /** What steward last left in the file at a path; undefined where that is not on record. */
  recorded(path: string): Recorded | undefined
  /** Where the link at a path led when steward last made it or found it as declared; undefined where that is not on record. */
  link?(path: string): string | undefined
  /** Whether nothing was at a path when the run began that goes on. */
  isNew?(path: string): boolean
  /**
   * Whether a file is as a finished run left it with a version of the manifests, so that no edit can have become a later
   * one: nothing was done to it since, by `ctimeMs`. Absent where nobody is to take down what is found.
   */
  isSettled?(path: string, ctimeMs: number): boolean
  /** By path, the edits that belong to every version of a file, in the order in which they are merged into it. */
  readonly adopted?: ReadonlyMap<string, readonly Adopted[]>
  /** What becomes of local edits in this run, whatever a resource says of them. */
  readonly localEdits?: LocalEdits | undefined
  /** What becomes of them where a resource says nothing; `overwrite` when absent. */
  readonly otherwise?: LocalEdits | undefined
}

/** An edit that was adopted: the version that it was made in, and what that became. */
export interface Adopted {
  readonly base: Uint8Array
  readonly edited: Uint8Array
}

/** What becomes of what somebody did to a file on its host. */
export type LocalEdits = (typeof localEditsChoices)[number]
export const localEditsChoices = ['overwrite', 'keep', 'merge', 'fail'] as const

/** A file as steward last left it. */
export interface Recorded {
  /** SHA-256, in hex, of the version of the manifests that it last wrote or found there. */
  readonly base: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** The version itself; undefined where it has been collected. */
  baseContent(): Uint8Array | undefined
}

/** Whether something runs; an error where it can't, with the reason. */
export type Standing = 'runs' | 'stopped' | ApplyError

/** One kind of thing the engine manages. The members run in this order. */
export interface ResourceType<Desired extends object = object, Current = unknown> {
  readonly name: string
  /** Checks `Desired`; its descriptions are the user's reference. */
  readonly schema: object
  /**
   * A place for what no schema can say about one resource alone ("content and source exclude each other"); the
   * sentence, or nothing. Runs when every value is known. Pure.
   */
  check?(
    resource: Resource<Desired>,
  ): { readonly attribute?: string; readonly message: string; readonly help?: string } | undefined
  /**
   * Whether the probe must run a command of the manifest; then it is only asked
   * when nothing that it depends on is pending.
   */
  asks?(desired: Desired): boolean
  /** Whether `refresh` runs a command of the manifest first that may say no, so that a plan can't tell what becomes of it. */
  mayDecline?(desired: Desired): boolean
  footprint(resource: Resource<Desired>): Footprint
  /**
   * Whether those who read it, by `restart_on` or `reload_on`, may go on with what they have read when these changes
   * are made. Absent: they never may. Pure.
   */
  staysRead?(resource: Resource<Desired>, changes: readonly Change[]): boolean
  /**
   * Whether these changes of another resource have it started anew by what it runs under (`restartsWith`), once that has
   * been told to read them. A plan goes by it; an apply goes by the moment at which it was started. Pure.
   */
  isStartedAnewBy?(resource: Resource<Desired>, changes: readonly Change[]): boolean
  /**
   * Whether these changes of another resource may have it started or stopped by what it runs under (`restartsWith`), so
   * that what is left to be done to it is known only then. Pure.
   */
  mayBeMovedBy?(resource: Resource<Desired>, changes: readonly Change[]): boolean
  /**
   * State of every given resource, in the order given, from as few reads as the system allows.
   * Without a context nothing else is declared.
   */
  probe(
    resources: readonly Resource<Desired>[],
    host: HostReader,
    context?: ProbeContext,
  ): Promise<Current[]>
  /** What would have to change. Pure. */
  diff(resource: Resource<Desired>, current: Current): Verdict
  /** Makes exactly these changes. Throws `ApplyError`. */
  apply(
    resource: Resource<Desired>,
    changes: readonly Change[],
    host: Host,
  ): Promise<Outcome | undefined>
  /** Makes the changes of neighbours in one transaction; gives the failures by `ref`. */
  applyTogether?(
    batch: readonly { readonly resource: Resource<Desired>; readonly changes: readonly Change[] }[],
    host: Host,
  ): Promise<ReadonlyMap<string, ApplyError>>
  /**
   * Reacts to a change of something it listens to. `madeAt` says when the last of these changes was made, in
   * microseconds of the clock that only goes forward (CLOCK_MONOTONIC): one that was started after that has nothing to
   * react to. Absent where a change is of an earlier run, or where the plan has said what happens, but for
   * what has `restartsWith`.
   */
  refresh?(
    resource: Resource<Desired>,
    by: RefreshKind,
    host: Host,
    madeAt?: number,
  ): Promise<Outcome | undefined>
  /**
   * How each of these stands, once that can be told. Asked of what runs under another (`restartsWith`), before and after
   * that takes up changes that concern it: what ran and fails then does not run with them, and `recover` is called.
   */
  standings?(
    resources: readonly Resource<Desired>[],
    host: HostReader,
  ): Promise<readonly Standing[]>
  /**
   * Called where a refresh failed that no check had refused (`isUntouched`), and the files whose change had asked for it
   * are back as they were, since `madeAt` (as for `refresh`); what it runs under has read them by then. Tells whether it
   * had to be started anew, and throws where it does not work with these either. Without it they stay as they are.
   */
  recover?(
    resource: Resource<Desired>,
    by: RefreshKind,
    host: Host,
    madeAt: number,
  ): Promise<{ readonly isAnew: boolean }>
}
