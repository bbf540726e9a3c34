import type { Library } from '../load/library.ts'
import { isObject, type ResourceDecl } from '../load/manifest.ts'
import type { Path } from '../load/yaml.ts'
import { normalPath } from '../resources/path.ts'
import { unitName } from '../resources/systemctl.ts'
import type { Thing } from '../resources/type.ts'
import type { Each, Evaluation } from './evaluation.ts'
import type { Instance } from './instance.ts'

/** What a relation of a declaration names, before it is looked up. */
export interface WrittenReference {
  readonly relation: 'before' | 'require' | 'notify' | 'subscribe'
  /** `service[nginx]`, `class[zulip::nginx]`, or an `id`. */
  readonly refs: readonly string[]
  readonly file: string
  readonly path: Path
  readonly optional: boolean
}

/** What a declaration says of its resource besides attributes and relations. */
interface Description {
  readonly tags: readonly string[]
  readonly noop: boolean
  /** Names of attributes that are secret; true where all of them are. */
  readonly sensitive: true | readonly string[]
  readonly needs: readonly Thing[]
  readonly provides: readonly Thing[]
  readonly optional: boolean
}

/** Shared by the many resources that have none of them. */
const NONE: readonly never[] = []
const PLAIN: Description = {
  tags: NONE,
  noop: false,
  sensitive: NONE,
  needs: NONE,
  provides: NONE,
  optional: false,
}
const RELATIONS = ['before', 'require', 'notify', 'subscribe'] as const
const DESCRIBING = ['tags', 'noop', 'sensitive', 'needs', 'provides', 'optional'] as const

/** What `needs` and `provides` name, each as a thing in its one spelling. */
const THINGS: Readonly<
  Record<
    string,
    { kind: 'path' | 'user' | 'group' | 'command' | 'unit'; name(written: string): string }
  >
> = {
  directories: { kind: 'path', name: normalPath },
  files: { kind: 'path', name: normalPath },
  users: { kind: 'user', name: (name) => name },
  groups: { kind: 'group', name: (name) => name },
  commands: { kind: 'command', name: (name) => name },
  units: { kind: 'unit', name: unitName },
}

/** tags, noop, sensitive, needs and provides of a declaration. Throws `Failed`. */
export function describe(
  evaluation: Evaluation,
  instance: Instance,
  { meta, path }: ResourceDecl,
  each: Each | undefined,
): Description {
  if (DESCRIBING.every((key) => meta[key] === undefined)) return PLAIN
  const value = (key: keyof typeof meta): unknown =>
    meta[key] === undefined
      ? undefined
      : evaluation.value(meta[key], { instance, path: [...path, key], each }).value
  const things = (key: 'needs' | 'provides'): Thing[] => {
    const given = value(key)
    if (!isObject(given)) return []
    return Object.entries(given).flatMap(([kind, names]) =>
      list(names).map(
        (name): Thing => `${THINGS[kind]?.kind ?? 'path'}:${THINGS[kind]?.name(name) ?? name}`,
      ),
    )
  }
  const sensitive = value('sensitive')
  return {
    tags: list(value('tags')),
    noop: value('noop') === true,
    sensitive: sensitive === true ? true : list(sensitive === false ? undefined : sensitive),
    needs: things('needs'),
    provides: things('provides'),
    optional: value('optional') === true,
  }
}

/** before, require, notify and subscribe of a declaration. Throws `Failed`. */
export function writtenReferences(
  evaluation: Evaluation,
  instance: Instance,
  decl: ResourceDecl,
  each: Each | undefined,
): readonly WrittenReference[] {
  if (RELATIONS.every((relation) => decl.meta[relation] === undefined)) return NONE
  const found: WrittenReference[] = []
  const { optional: written } = decl.meta
  const optional =
    written !== undefined &&
    evaluation.value(written, { instance, path: [...decl.path, 'optional'], each }).value === true
  for (const relation of RELATIONS) {
    const raw = decl.meta[relation]
    if (raw === undefined) continue
    const path = [...decl.path, relation]
    const { value } = evaluation.value(raw, { instance, path, each })
    const refs = refsIn(evaluation.library, value)
    found.push({ relation, refs, file: instance.manifest.file, path, optional })
  }
  return found
}

/** The value of an attribute that takes references or path globs, each reference as text. */
export function listenedTo(library: Library, value: unknown): unknown {
  if (!Array.isArray(value)) return isObject(value) ? refsIn(library, value) : value
  return value.flatMap((item) => (isObject(item) ? refsIn(library, item) : [item]))
}

/** How a resource or class is referred to, also where the title is spelled in another way. */
export function refOf(library: Library, type: string, title: string): string {
  if (type === 'class') return `class[${library.find(title)?.name ?? title}]`
  return `${type}[${type === 'file' ? normalPath(title) : title}]`
}

/** Every resource that a written reference names. */
function refsIn(library: Library, value: unknown, found: string[] = []): string[] {
  if (Array.isArray(value)) for (const item of value) refsIn(library, item, found)
  else if (typeof value === 'string') found.push(value)
  else if (isObject(value)) {
    for (const type of Object.keys(value))
      for (const title of list(value[type])) found.push(refOf(library, type, title))
  }
  return found
}

function list(value: unknown): string[] {
  if (value === undefined || value === null) return []
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.map(String)
}
