import type { SecretForm } from './generated-secrets.ts'
import type { Path } from './yaml.ts'

/**
 * A class or define as it was written: plain data, whose expressions are still text. Places
 * are asked of `Sources` by `file` and path.
 */
export interface Manifest {
  readonly kind: 'class' | 'define'
  readonly name: string
  readonly file: string
  readonly summary?: string
  readonly aliasOf?: string
  readonly incomplete: readonly string[]
  readonly resume: 'continue' | 'anew'
  /** Who may run it besides root, of a procedure. */
  readonly allowedUsers: readonly string[]
  readonly tags: readonly string[]
  readonly parameters: Readonly<Record<string, ParameterDecl>>
  readonly include: readonly IncludeDecl[]
  readonly defaults: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly asserts: readonly { readonly that: string | boolean; readonly message: string }[]
  readonly notices: readonly { readonly message: string; readonly when?: string | boolean }[]
  readonly let: Readonly<Record<string, unknown>>
  readonly resources: readonly ResourceDecl[]
  /** Set for a procedure, which has no resources. */
  readonly steps: readonly ResourceDecl[] | undefined
}

/** A JSON Schema fragment with words of our own. */
export interface ParameterDecl {
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object'
  readonly enum?: readonly unknown[]
  readonly items?: { readonly type?: string }
  readonly from?: string
  readonly default?: unknown
  readonly sensitive?: boolean
  readonly generate?: SecretForm
  readonly description?: string
  readonly [keyword: string]: unknown
}

/** Whether the values of a parameter are secrets wherever they come from: what is one in its own file is. */
export function isSecretParameter({ from, sensitive }: ParameterDecl): boolean {
  return sensitive === true || from?.startsWith('secrets.') === true
}

/** What the values of a parameter are checked with: the JSON Schema in its declaration. */
export function valueSchemaOf(decl: ParameterDecl): Readonly<Record<string, unknown>> {
  const {
    from: _from,
    default: _default,
    sensitive: _sensitive,
    generate: _generate,
    description: _description,
    ...schema
  } = decl
  return schema
}

export interface IncludeDecl {
  readonly class: string
  readonly with: Readonly<Record<string, unknown>>
  readonly when?: string | boolean
  readonly as?: string
  readonly path: Path
}

/** A resource or step as written, its first key taken apart into type and title. */
export interface ResourceDecl {
  readonly type: string
  /** Titles as written; more than one makes as many resources. */
  readonly titles: readonly string[]
  readonly attributes: Readonly<Record<string, unknown>>
  readonly meta: Readonly<Meta>
  readonly path: Path
}

export interface Meta {
  id?: string
  when?: string | boolean
  for_each?: unknown
  before?: unknown
  require?: unknown
  notify?: unknown
  subscribe?: unknown
  needs?: Readonly<Record<string, unknown>>
  provides?: Readonly<Record<string, unknown>>
  tags?: unknown
  noop?: boolean | string
  sensitive?: unknown
  optional?: boolean | string
}

export const metaparameters = [
  'id',
  'when',
  'for_each',
  'before',
  'require',
  'notify',
  'subscribe',
  'needs',
  'provides',
  'tags',
  'noop',
  'sensitive',
  'optional',
] as const

/** What a step may be besides a resource, a define or a class. */
export const stepWords = ['query', 'apply', 'block', 'fail'] as const

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
