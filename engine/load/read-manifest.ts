import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import {
  type IncludeDecl,
  isObject,
  type Manifest,
  type Meta,
  metaparameters,
  type ParameterDecl,
  type ResourceDecl,
  stepWords,
  valueSchemaOf,
} from './manifest.ts'
import { schemaDiagnostics } from './schema-errors.ts'
import type { Sources } from './sources.ts'
import { fragmentValidator, validator } from './validators.ts'
import { type Path, parseYaml } from './yaml.ts'

const isMeta = new Set<string>(metaparameters)

/**
 * One manifest from its text. `types` are the names of the resource types; names with `::` are defines and
 * are looked up later, for they are files of their own. What is right in a manifest that is at fault is `rest`,
 * where its names are known, so that its expressions can be checked all the same.
 */
export function readManifest(
  text: string,
  file: string,
  types: ReadonlySet<string>,
  sources: Sources,
): {
  readonly manifest: Manifest | undefined
  readonly rest?: Manifest
  readonly diagnostics: readonly Diagnostic[]
} {
  const parsed = parseYaml(text, sources.shown(file))
  const diagnostics: Diagnostic[] = [...parsed.diagnostics]
  const raw = parsed.value
  if (raw === undefined) return { manifest: undefined, diagnostics }
  if (parsed.readAs !== text) sources.readAs(file, parsed.readAs)
  const error = (
    diagnostic: Omit<Diagnostic, 'severity' | 'place'>,
    path: Path,
    on?: 'key' | 'value',
  ) => diagnostics.push({ severity: 'error', ...diagnostic, place: sources.place(file, path, on) })

  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    error(
      {
        code: 'manifest-shape',
        message: 'a manifest is a mapping that begins with "class:" or "define:"',
      },
      [],
    )
    return { manifest: undefined, diagnostics }
  }
  const top = raw as Record<string, unknown>
  const reader: DeclReader = { file, types, sources, diagnostics, dropped: 0 }
  check('manifest', top, { path: [], subject: 'the manifest' }, reader)
  const kind = 'define' in top ? 'define' : 'class'
  const name = top[kind]
  if (typeof name !== 'string') {
    if (diagnostics.length === 0 || !('class' in top || 'define' in top)) {
      error(
        {
          code: 'manifest-shape',
          message: 'the manifest does not say which class or define it is',
          help: 'begin with: class: NAME',
        },
        [],
      )
    }
    return { manifest: undefined, diagnostics }
  }
  if ('class' in top && 'define' in top) {
    error(
      { code: 'manifest-shape', message: 'a manifest is a class or a define, not both' },
      ['define'],
      'key',
    )
  }
  if ('resources' in top && 'steps' in top) {
    error(
      {
        code: 'manifest-shape',
        message: `${name} has both resources and steps; a procedure has steps only`,
      },
      ['steps'],
      'key',
    )
  }

  for (const key of typeof top.alias_of === 'string' ? Object.keys(top) : []) {
    if (ALIAS_KEYS.has(key)) continue
    error(
      {
        code: 'manifest-shape',
        message: `${name} stands for ${String(top.alias_of)}, and can't have "${key}" of its own`,
        help: 'take it away, or write a class that includes the other',
      },
      [key],
      'key',
    )
  }

  const parameters = (isObject(top.parameters) ? top.parameters : {}) as Record<
    string,
    ParameterDecl
  >
  for (const [key, decl] of Object.entries(parameters)) {
    if (!isObject(decl)) continue
    const { from, generate } = decl
    const mistake = diagnostics.length === 0 ? schemaMistake(decl) : undefined
    if (mistake !== undefined)
      error(
        {
          code: 'manifest-shape',
          message: `what "${key}" of ${name} takes is not told in JSON Schema: ${mistake}`,
          help: 'write type, enum, minimum, pattern and the like as JSON Schema has them; beside them are from, default, generate, sensitive and description',
        },
        ['parameters', key],
        'key',
      )
    if (generate === undefined || from?.startsWith('secrets.')) continue
    error(
      {
        code: 'manifest-shape',
        message: `"${key}" of ${name} is to be generated, and is no secret`,
        help: 'give it a place in zulip-secrets.conf: from: secrets.NAME',
      },
      ['parameters', key, 'generate'],
      'key',
    )
  }
  const lets = (isObject(top.let) ? top.let : {}) as Record<string, unknown>
  for (const key of Object.keys(lets)) {
    if (key in parameters) {
      error(
        {
          code: 'manifest-shape',
          message: `${name} has a parameter and a named value that are both "${key}"`,
          help: 'give one of them another name',
        },
        ['let', key],
        'key',
      )
    }
  }
  for (const key of [...Object.keys(parameters), ...Object.keys(lets)]) {
    if (RESERVED.has(key)) {
      error(
        {
          code: 'manifest-shape',
          message: `"${key}" has a meaning of its own in expressions`,
          help: 'choose another name',
        },
        [key in lets ? 'let' : 'parameters', key],
        'key',
      )
    }
  }

  const resources = readDecls(top.resources, ['resources'], false, reader)
  const steps = top.steps === undefined ? undefined : readDecls(top.steps, ['steps'], true, reader)

  const manifest: Manifest = {
    kind,
    name,
    file,
    ...(typeof top.summary === 'string' ? { summary: top.summary } : {}),
    ...(typeof top.alias_of === 'string' ? { aliasOf: top.alias_of } : {}),
    incomplete: listOf(top.incomplete),
    resume: top.resume === 'anew' ? 'anew' : 'continue',
    allowedUsers: listOf(top.allowed_users),
    tags: listOf(top.tags),
    parameters,
    include: (Array.isArray(top.include) ? top.include : []).map(
      (item: unknown, index): IncludeDecl => {
        const decl = (
          typeof item === 'string' ? { class: item } : isObject(item) ? item : {}
        ) as Record<string, unknown>
        return {
          class: typeof decl.class === 'string' ? decl.class : '',
          with: isObject(decl.with) ? decl.with : {},
          ...(decl.when === undefined ? {} : { when: decl.when as string | boolean }),
          ...(typeof decl.as === 'string' ? { as: decl.as } : {}),
          path: ['include', index],
        }
      },
    ),
    defaults: (isObject(top.defaults) ? top.defaults : {}) as Manifest['defaults'],
    asserts: Array.isArray(top.assert) ? (top.assert as Manifest['asserts']) : [],
    notices: Array.isArray(top.notices) ? (top.notices as Manifest['notices']) : [],
    let: lets,
    resources,
    steps,
  }
  if (diagnostics.length === 0) return { manifest, diagnostics }
  const isKnown = namesAreKnown(top) && (steps === undefined || reader.dropped === 0)
  return { manifest: undefined, ...(isKnown ? { rest: restOf(manifest) } : {}), diagnostics }
}

/** Whether all that the expressions of a manifest may name is as it has to be. */
function namesAreKnown({ parameters, include, let: lets }: Record<string, unknown>): boolean {
  const parts = { parameters, include, let: lets }
  const given = Object.entries(parts).filter(([, part]) => part !== undefined)
  return validator('manifest')({ class: 'any', ...Object.fromEntries(given) })
}

/** Without what a condition or a message of another form would stand in. */
function restOf(manifest: Manifest): Manifest {
  const isRight = (item: unknown): boolean =>
    isObject(item) &&
    [item.that, item.message].every((part) => part === undefined || typeof part === 'string')
  return {
    ...manifest,
    asserts: manifest.asserts.filter((each) => isRight(each) && 'that' in each),
    notices: manifest.notices.filter(
      (each) => isRight(each) && ['string', 'boolean', 'undefined'].includes(typeof each.when),
    ),
  }
}

const ALIAS_KEYS = new Set(['class', 'define', 'summary', 'alias_of'])
const RESERVED = new Set([
  'constructor',
  'facts',
  'each',
  'title',
  'query',
  'step',
  'true',
  'false',
  'null',
  'in',
])

interface DeclReader {
  readonly file: string
  readonly types: ReadonlySet<string>
  readonly sources: Sources
  readonly diagnostics: Diagnostic[]
  /** How many were left out, for what they are can't be told. */
  dropped: number
}

function readDecls(
  value: unknown,
  path: Path,
  inSteps: boolean,
  reader: DeclReader,
): ResourceDecl[] {
  if (!Array.isArray(value)) return []
  const decls: ResourceDecl[] = []
  for (const [index, item] of value.entries()) {
    const decl = isObject(item) ? readDecl(item, [...path, index], inSteps, reader) : undefined
    if (decl) decls.push(decl)
    else reader.dropped++
  }
  return decls
}

function readDecl(
  item: Record<string, unknown>,
  path: Path,
  inSteps: boolean,
  reader: DeclReader,
): ResourceDecl | undefined {
  const { file, types, sources, diagnostics } = reader
  const error = (
    diagnostic: Omit<Diagnostic, 'severity' | 'place'>,
    at: Path,
    on?: 'key' | 'value',
  ) => diagnostics.push({ severity: 'error', ...diagnostic, place: sources.place(file, at, on) })
  const type = Object.keys(item)[0] ?? ''
  const word = stepWords.find((candidate) => candidate === type)
  if (word && !inSteps) {
    error(
      {
        code: 'unknown-type',
        message: `"${type}" stands only among the steps of a procedure`,
        help: 'use "steps:" instead of "resources:"',
      },
      [...path, type],
      'key',
    )
    return undefined
  }
  if (!types.has(type) && !type.includes('::') && !word && type !== 'class') {
    const later = Object.keys(item).find((key) => types.has(key) || key.includes('::'))
    const help = later
      ? `the type comes first: put "${later}:" at the top of the resource`
      : didYouMean(type, [...types, ...(inSteps ? stepWords : [])])
    error(
      {
        code: 'unknown-type',
        message: `there is no resource type "${type}"`,
        expected: `one of: ${[...types].sort().join(', ')}, or a define`,
        ...(help ? { help } : {}),
      },
      [...path, type],
      'key',
    )
    return undefined
  }
  const rawTitle = item[type]
  const titles = Array.isArray(rawTitle) ? rawTitle : [rawTitle]
  if (titles.length === 0 || titles.some((title) => typeof title !== 'string' || title === '')) {
    error(
      {
        code: 'wrong-value',
        message: `the title of a ${type} is text, or a list of texts`,
        found: JSON.stringify(rawTitle),
        help: `write: ${type}: "${typeof rawTitle === 'number' ? rawTitle : 'TITLE'}"`,
      },
      [...path, type],
    )
    return undefined
  }
  const attributes: Record<string, unknown> = {}
  const meta: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(item).slice(1)) {
    // An apply chooses by tags; it has none itself.
    const isOwn = word === 'apply' && key === 'tags'
    if (isMeta.has(key) && !isOwn) meta[key] = value
    else attributes[key] = value
  }
  const subject = `${type}[${titles.join(', ')}]`
  let fits = check('metaparameters', meta, { path, subject }, reader)
  if (word === 'block') {
    attributes.steps = readDecls(attributes.steps, [...path, 'steps'], true, reader)
    for (const part of ['rescue', 'always']) {
      if (attributes[part] !== undefined)
        attributes[part] = readDecls(attributes[part], [...path, part], true, reader)
    }
  }
  // What a class gives by `defaults` is not known here.
  if (types.has(type))
    check(`resources/${type}`, attributes, { path, subject, ignoreMissing: true }, reader)
  else if (word && !check(`steps/${word}`, attributes, { path, subject }, reader)) fits = false
  if (!fits) return undefined
  return { type, titles: titles as string[], attributes, meta: meta as Meta, path }
}

/** What makes the declaration of a parameter no JSON Schema, if anything does. */
function schemaMistake(decl: ParameterDecl): string | undefined {
  try {
    fragmentValidator(valueSchemaOf(decl))
    return undefined
  } catch (error) {
    return (error as Error).message.replace(/^strict mode: |^schema is invalid: data\/?/, '')
  }
}

/** Whether a value fits one of our schemas; tells everything in which it does not. */
function check(
  schema: string,
  value: Readonly<Record<string, unknown>>,
  { path, ...at }: { readonly path: Path; readonly subject: string; readonly ignoreMissing?: true },
  { file, sources, diagnostics }: DeclReader,
): boolean {
  const fits = validator(schema)
  if (fits(value)) return true
  const found = schemaDiagnostics(fits.errors ?? [], { value, file, base: path, sources, ...at })
  diagnostics.push(...found)
  return found.length === 0
}

function listOf(value: unknown): string[] {
  return typeof value === 'string' ? [value] : Array.isArray(value) ? value.map(String) : []
}
