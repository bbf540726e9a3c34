import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import { suggest } from '../diagnostics/suggest.ts'
import { settingName } from './conf.ts'
import { coerce, type ValueSchema } from './conf-value.ts'
import type { Library } from './library.ts'
import { type ParameterDecl, valueSchemaOf } from './manifest.ts'
import { schemaDiagnostics } from './schema-errors.ts'
import { fragmentValidator } from './validators.ts'

/** A parameter that gets its value from a setting of zulip.conf, or from a whole section. */
export interface ConfReader {
  readonly section: string
  /** As settings are looked up; `*` for the whole section. */
  readonly key: string
  readonly parameter: string
  readonly decl: ParameterDecl
  /** The class that it is a parameter of. */
  readonly owner: string
}

/**
 * Every parameter that reads zulip.conf, of all manifests of the library or of some; those with mistakes are passed
 * over.
 */
export function confReaders(
  library: Library,
  names: readonly string[] = library.names(),
): ConfReader[] {
  const readers: ConfReader[] = []
  for (const name of names) {
    for (const [parameter, decl] of Object.entries(library.read(name)?.parameters ?? {})) {
      const dot = decl.from?.indexOf('.') ?? -1
      if (decl.from === undefined || dot < 0) continue
      const section = decl.from.slice(0, dot)
      // Those are of zulip-secrets.conf.
      if (section === 'secrets') continue
      const key = settingName(decl.from.slice(dot + 1))
      readers.push({ section, key, parameter, decl, owner: name })
    }
  }
  return readers
}

/** Those that read this very setting, alone or with its section. */
export function readersOf(
  readers: readonly ConfReader[],
  section: string,
  key: string,
): ConfReader[] {
  return readers.filter(
    (reader) =>
      reader.section === section && (reader.key === '*' || reader.key === settingName(key)),
  )
}

/** A setting that somebody reads and that this one may be a misspelling of, as `section.key`. */
export function nearestSetting(
  readers: readonly ConfReader[],
  section: string,
  key: string,
): string | undefined {
  const wanted = settingName(key)
  const single = readers.filter((reader) => reader.key !== '*')
  const same = single.filter((reader) => reader.section === section)
  const near = suggest(wanted, new Set(same.map((reader) => reader.key)))
  if (near !== undefined) return `${section}.${near}`
  const others = single.filter((reader) => reader.key === wanted)
  const other = suggest(section, new Set(others.map((reader) => reader.section)))
  return other === undefined ? undefined : `${other}.${wanted}`
}

/** Why a parameter would refuse this text as its value; empty where it takes it. */
export function valueFaults(reader: ConfReader, key: string, text: string): Diagnostic[] {
  const { parameter, owner, decl } = reader
  const subject = `${reader.section}.${key}`
  const whose = `("${parameter}" of ${owner})`
  const { description } = decl
  const about = description === undefined ? {} : { help: `it means: ${description}` }
  const coerced = coerce(text, schemaOf(reader, key))
  if ('error' in coerced) {
    return [
      {
        severity: 'error',
        code: 'conf-value',
        message: `${subject} takes ${coerced.error} ${whose}`,
        expected: coerced.error,
        found: text === '' ? 'an empty value' : text,
        ...about,
      },
    ]
  }
  const value = reader.key === '*' ? { [settingName(key)]: coerced.value } : coerced.value
  const validate = fragmentValidator(valueSchemaOf(decl))
  if (validate(value)) return []
  return schemaDiagnostics(validate.errors ?? [], {
    value,
    file: '',
    base: [],
    sources: { place: () => nowhere },
    subject,
  }).map(({ place: _place, message, ...rest }) => ({
    ...about,
    ...rest,
    code: 'conf-value',
    message: `${message} ${whose}`,
  }))
}

/** It is not in the file yet. */
const nowhere: Place = { file: '', line: 0, column: 0 }

function schemaOf({ key, decl }: ConfReader, setting: string): ValueSchema {
  if (key !== '*') {
    const isNumber = decl.enum?.every((value) => typeof value === 'number')
    return { ...decl, type: decl.type ?? (isNumber ? 'number' : 'string') } as ValueSchema
  }
  const section = decl as ValueSchema
  const own = section.properties?.[settingName(setting)]
  if (own) return own
  return typeof section.additionalProperties === 'object' ? section.additionalProperties : {}
}
