import type { Place } from '../diagnostics/diagnostic.ts'
import type { Manifest } from '../load/manifest.ts'
import type { Path } from '../load/yaml.ts'
import { type Fields, record, Signal, toCel, Unset } from './expr.ts'
import type { ManifestScope } from './scope.ts'

/** A value that could not be had; what was wrong has been told where it was found. */
export class Failed extends Signal {}

/** Where a value came from. */
export type Origin =
  | { readonly by: 'command line' }
  | { readonly by: 'site file'; readonly place: Place | undefined }
  | { readonly by: 'with'; readonly file: string; readonly path: Path }
  | { readonly by: 'zulip.conf'; readonly setting: string; readonly place: Place | undefined }
  | { readonly by: 'secret' | 'generated'; readonly name: string }
  | { readonly by: 'default' | 'let'; readonly file: string; readonly path: Path }
  | { readonly by: 'unset' }

/** A value with what must be known of it. */
export interface Value {
  readonly value: unknown
  readonly secret: boolean
  /** Which secrets of zulip-secrets.conf it was made of, where it was. */
  readonly secretNames?: readonly string[] | undefined
  readonly origin: Origin
}

type Slot =
  | { state: 'new'; make: () => Value }
  | { state: 'busy' }
  | { state: 'done'; value: Value; cel: unknown }
  | { state: 'failed' }

/**
 * A class or a use of a define on this host: its names with their
 * values, each worked out when it is first read.
 */
export class Instance {
  readonly manifest: Manifest
  readonly scope: ManifestScope
  /** `class[zulip::nginx]`, or `zulip::cron_job[restart]`. */
  readonly ref: string
  readonly containers: readonly string[]
  /** Included classes by alias; absent where an include's `when` is false. */
  readonly aliases = new Map<string, Instance>()
  /** What expressions read from: a member for each name. */
  readonly names: Record<string, unknown> = {}
  readonly #slots = new Map<string, Slot>()
  /** Members of names that were set, as `query.token`. */
  readonly #secretMembers = new Set<string>()
  #record: object | undefined

  constructor(scope: ManifestScope, ref: string, containers: readonly string[]) {
    this.manifest = scope.manifest
    this.scope = scope
    this.ref = ref
    this.containers = [ref, ...containers]
  }

  /** A name whose value is worked out by `make`, at most once. */
  define(name: string, make: () => Value): void {
    this.#slots.set(name, { state: 'new', make })
    Object.defineProperty(this.names, name, {
      enumerable: true,
      configurable: true,
      get: () => this.cel(name),
    })
  }

  /** A name with a value for expressions that never changes, such as `facts`. */
  set(name: string, value: unknown): void {
    this.names[name] = value
  }

  /** Says that a member of a name that was set, such as `query.token`, is secret. */
  setSecret(member: string): void {
    this.#secretMembers.add(member)
  }

  isSettled(name: string): boolean {
    const slot = this.#slots.get(name)
    return slot?.state === 'done' || slot?.state === 'failed'
  }

  has(name: string): boolean {
    return this.#slots.has(name)
  }

  /** The value; throws `Unset` where it has none, `Failed` where it could not be had. */
  value(name: string): Value {
    const slot = this.#slot(name)
    return slot.value
  }

  /** As `value`, in the form that expressions use. */
  cel(name: string): unknown {
    const slot = this.#slot(name)
    if (slot.cel === undefined) slot.cel = toCel(slot.value.value, this.#type(name))
    return slot.cel
  }

  /** Whether what a name (`a` or `a.b`) stands for is secret. Only asked once its value was had. */
  isSecret(name: string): boolean {
    const [root, member] = name.split('.')
    for (const secret of this.#secretMembers)
      if (secret === name || (member === undefined && secret.startsWith(`${root}.`))) return true
    const alias = this.aliases.get(root ?? '')
    if (!alias) return this.#isSecret(root ?? '')
    // An alias as a whole (`common["password"]`) may give any of its values.
    return member === undefined ? alias.#holdsSecret() : alias.#isSecret(member)
  }

  /** The secrets of zulip-secrets.conf behind a name, as `isSecret` takes it. Only asked once its value was had. */
  secretNames(name: string): readonly string[] {
    const [root = '', member] = name.split('.')
    const alias = this.aliases.get(root)
    const slot = alias ? alias.#slots.get(member ?? '') : this.#slots.get(root)
    return slot?.state === 'done' ? (slot.value.secretNames ?? []) : []
  }

  /** The value, or undefined where it has none. For templates and explanations. */
  peek(name: string): Value | undefined {
    try {
      return this.value(name)
    } catch (error) {
      if (error instanceof Unset) return undefined
      throw error
    }
  }

  /** Its values as those who include it read them. */
  asRecord(fields: Fields): object {
    this.#record ??= record(fields, (member) => this.cel(member))
    return this.#record
  }

  /** Its values as those read them that it includes in turn, whose types are not known to each other. */
  asMap(fields: Fields): object {
    const map = {}
    for (const member of Object.keys(fields))
      Object.defineProperty(map, member, { enumerable: true, get: () => this.cel(member) })
    return map
  }

  #holdsSecret(): boolean {
    for (const slot of this.#slots.values())
      if (slot.state === 'done' && slot.value.secret) return true
    return false
  }

  #isSecret(name: string): boolean {
    const slot = this.#slots.get(name)
    return slot?.state === 'done' && slot.value.secret
  }

  #type(name: string): string | undefined {
    const type = this.scope.fields[name]
    return typeof type === 'string' ? type : undefined
  }

  #slot(name: string): { state: 'done'; value: Value; cel: unknown } {
    const slot = this.#slots.get(name)
    if (!slot) throw new Unset(name)
    if (slot.state === 'failed') throw new Failed()
    if (slot.state === 'busy') throw new ValueLoop(this, name)
    if (slot.state === 'new') {
      this.#slots.set(name, { state: 'busy' })
      let value: Value
      try {
        value = slot.make()
      } catch (error) {
        this.#slots.set(name, { state: 'failed' })
        throw error
      }
      const done = { state: 'done' as const, value, cel: undefined }
      this.#slots.set(name, done)
      return this.#set(name, done)
    }
    return this.#set(name, slot)
  }

  #set(name: string, slot: { state: 'done'; value: Value; cel: unknown }) {
    if (slot.value.origin.by === 'unset') throw new Unset(name)
    return slot
  }
}

/** Thrown when a value is read while it is being worked out. */
export class ValueLoop extends Signal {
  readonly instance: Instance
  readonly subject: string
  constructor(instance: Instance, subject: string) {
    super(`${instance.ref} reads "${subject}" to work out "${subject}"`)
    this.instance = instance
    this.subject = subject
  }
}
