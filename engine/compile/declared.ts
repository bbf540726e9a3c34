import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import type { Path } from '../load/yaml.ts'
import type { Resource, ResourceType, Thing } from '../resources/type.ts'
import type { ValueSource } from './catalog.ts'
import type { Evaluation } from './evaluation.ts'
import { RenderedText } from './file-body.ts'
import type { WrittenReference } from './metaparameters.ts'
import { sameValue } from './plain-data.ts'

/** A resource as far as it can be told without the others. */
export interface Declared {
  readonly resource: Resource<Record<string, unknown>>
  id: string | undefined
  tags: readonly string[]
  noop: boolean
  sensitive: ReadonlySet<string>
  /** The classes and defines that hold it, the innermost first; then those of further declarations. */
  containers: readonly string[]
  readonly file: string
  readonly path: Path
  references: readonly WrittenReference[]
  needs: readonly Thing[]
  provides: readonly Thing[]
  optional: boolean
  readonly sources: Map<string, ValueSource>
}

/** The resources of a catalog by their references, each once. */
export class DeclaredResources {
  readonly byRef = new Map<string, Declared>()
  readonly #sources: Evaluation['library']['sources']
  readonly #types: ReadonlyMap<string, ResourceType>
  readonly #diagnostics: Diagnostic[]

  constructor(
    sources: Evaluation['library']['sources'],
    types: ReadonlyMap<string, ResourceType>,
    diagnostics: Diagnostic[],
  ) {
    this.#sources = sources
    this.#types = types
    this.#diagnostics = diagnostics
  }

  /** Takes a resource in; a further declaration adds to the first what it does not contradict. */
  add(declared: Declared): void {
    const { ref } = declared.resource
    const other = this.byRef.get(ref)
    if (!other) {
      this.byRef.set(ref, declared)
      return
    }
    const desired = other.resource.desired
    const schema = this.#types.get(declared.resource.type)?.schema as
      | { properties?: Record<string, { uniqueItems?: boolean }> }
      | undefined
    for (const [key, value] of Object.entries(declared.resource.desired)) {
      if (!(key in desired)) {
        desired[key] = value
        const source = declared.sources.get(key)
        if (source) other.sources.set(key, source)
      } else if (
        schema?.properties?.[key]?.uniqueItems &&
        Array.isArray(value) &&
        Array.isArray(desired[key])
      ) {
        desired[key] = [...new Set([...(desired[key] as unknown[]), ...value])]
      } else if (!sameAttribute(key, desired[key], value)) {
        const secret = [declared, other].some(
          ({ sensitive }) => sensitive.has(key) || sensitive.has('*'),
        )
        this.#diagnostics.push({
          severity: 'error',
          code: 'duplicate-resource',
          message: `${ref} is declared twice, with different "${key}"`,
          place: this.#place(declared, key),
          ...(secret
            ? {}
            : { found: `${JSON.stringify(value)} here, ${JSON.stringify(desired[key])} there` }),
          related: [{ message: 'the other declaration', place: this.#place(other, key) }],
          help: 'let only one of them set it',
        })
      }
    }
    if (declared.id !== undefined && other.id !== undefined && declared.id !== other.id) {
      this.#diagnostics.push({
        severity: 'error',
        code: 'duplicate-resource',
        message: `${ref} is declared twice, with different "id"`,
        place: this.#place(declared, 'id'),
        found: `${declared.id} here, ${other.id} there`,
        related: [{ message: 'the other declaration', place: this.#place(other, 'id') }],
        help: 'let only one of them set it',
      })
    }
    other.id ??= declared.id
    other.noop ||= declared.noop
    other.sensitive = new Set([...other.sensitive, ...declared.sensitive])
    other.tags = union(other.tags, declared.tags)
    other.containers = union(other.containers, declared.containers)
    other.references = [...other.references, ...declared.references]
    other.needs = [...other.needs, ...declared.needs]
    other.provides = [...other.provides, ...declared.provides]
    other.optional ||= declared.optional
  }

  #place(declared: Declared, key: string): Place {
    return this.#sources.place(declared.file, [...declared.path, key])
  }
}

/** Modes are compared by meaning: `"640"` is `"0640"`. */
function sameAttribute(key: string, a: unknown, b: unknown): boolean {
  const meaning = (value: unknown) => {
    if (value instanceof RenderedText) return value.toString()
    return key === 'mode' && typeof value === 'string' && /^[0-7]+$/.test(value)
      ? Number.parseInt(value, 8)
      : value
  }
  return sameValue(meaning(a), meaning(b))
}

export function union<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return b.length === 0 ? a : a.length === 0 ? b : [...new Set([...a, ...b])]
}
