import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import { commentIn } from '../load/commented-values.ts'
import type { Conf } from '../load/conf.ts'
import { coerce, coerceSection, type ValueSchema } from '../load/conf-value.ts'
import type { SecretMaker } from '../load/generated-secrets.ts'
import type { Library } from '../load/library.ts'
import {
  isSecretParameter,
  type Manifest,
  type ParameterDecl,
  valueSchemaOf,
} from '../load/manifest.ts'
import { schemaDiagnostics } from '../load/schema-errors.ts'
import { fragmentValidator } from '../load/validators.ts'
import type { Path } from '../load/yaml.ts'
import type { Fields } from './expr.ts'
import { Failed, type Instance, type Origin, type Value } from './instance.ts'
import { collectTexts } from './plain-data.ts'

/** Everything that values come from. */
export interface Data {
  readonly conf: Conf | undefined
  readonly secrets: ReadonlyMap<string, string>
  /** Parameters by class, from the site file. */
  readonly site: ReadonlyMap<
    string,
    ReadonlyMap<string, { readonly value: unknown; readonly place?: Place }>
  >
  readonly facts: Readonly<Record<string, unknown>>
  readonly factFields: Fields
  /** Makes the secrets that a class generates where they are missing. */
  readonly makeSecret: SecretMaker
  /** `--with`, for the one class that is named. */
  readonly options: Readonly<Record<string, unknown>>
}

/** What is given to a parameter by `with`, or at a use of a define. */
export interface With {
  readonly value: unknown
  readonly secret: boolean
  readonly secretNames?: readonly string[] | undefined
  readonly file: string
  readonly path: Path
}

/** Where a parameter stands, and what an evaluation has for it. */
interface Parameter {
  readonly instance: Instance
  readonly name: string
  readonly decl: ParameterDecl
  readonly given: With | undefined
  /** Whether its class is the one that was asked for, which `--with` is for. */
  readonly isNamed: boolean
}

/** What is needed of an evaluation. */
interface Context {
  readonly library: Library
  readonly data: Data
  /** Takes every text that must never be shown. */
  readonly secrets: Set<string>
  /** Takes every secret that is made in this run, with its name. */
  readonly generated: Map<string, string>
  readonly diagnostics: Diagnostic[]
  value(
    raw: unknown,
    spot: { readonly instance: Instance; readonly path: Path },
  ): Omit<Value, 'origin'>
}

const SECRETS = 'secrets'

/**
 * The value of a parameter from the strongest source that has one. Throws `Failed` after telling what is wrong.
 */
export function parameterValue(context: Context, parameter: Parameter): Value {
  const { data, library } = context
  const { instance, name, decl, given, isNamed } = parameter
  const { manifest } = instance
  const checked = (
    value: unknown,
    secret: boolean,
    origin: Origin,
    place: () => Place | undefined,
    secretNames?: readonly string[],
  ): Value => {
    check(context, parameter, { value, secret, secretNames }, place)
    if (secret) collectTexts(value, context.secrets)
    return { value, secret, secretNames, origin }
  }
  const isSecret = isSecretParameter(decl)
  const option = isNamed ? data.options[name] : undefined
  if (option !== undefined) {
    const value =
      typeof option === 'string' ? coerced(context, parameter, option, undefined, '--with') : option
    return checked(value, isSecret, { by: 'command line' }, () => undefined)
  }
  const site = manifest.kind === 'class' ? data.site.get(manifest.name)?.get(name) : undefined
  if (site) {
    const { value, place } = site
    return checked(value, isSecret, { by: 'site file', place }, () => place)
  }
  if (given) {
    const { value, secret, secretNames, file, path } = given
    const place = () => library.sources.place(file, path)
    return checked(value, secret || isSecret, { by: 'with', file, path }, place, secretNames)
  }
  const from = decl.from === undefined ? undefined : fromConf(context, parameter, decl.from)
  if (from) {
    const { value, secret, origin, place, secretNames } = from
    return checked(value, secret || isSecret, origin, () => place, secretNames)
  }
  if (decl.generate) {
    const secret = secretName(decl)
    const value = data.makeSecret(secret, decl.generate)
    context.generated.set(value, secret)
    return checked(value, true, { by: 'generated', name: secret }, () => undefined)
  }
  if (decl.default !== undefined) {
    const path = ['parameters', name, 'default']
    const { value, secret, secretNames } = context.value(decl.default, { instance, path })
    const place = () => library.sources.place(manifest.file, path)
    const origin: Origin = { by: 'default', file: manifest.file, path }
    return checked(value, secret || isSecret, origin, place, secretNames)
  }
  return { value: undefined, secret: false, origin: { by: 'unset' } }
}

/** Whether the site file, zulip.conf or the secrets say something for a parameter. */
export function isConfigured(
  data: Data,
  { kind, name: owner, parameters }: Manifest,
  name: string,
): boolean {
  if (kind === 'class' && data.site.get(owner)?.has(name)) return true
  const from = parameters[name]?.from ?? ''
  const dot = from.indexOf('.')
  const section = from.slice(0, dot)
  const key = from.slice(dot + 1)
  if (section === SECRETS) return data.secrets.has(key)
  if (key === '*') return data.conf?.section(section) !== undefined
  return data.conf?.get(section, key) !== undefined
}

/**
 * What zulip.conf or the secrets say for a parameter's `from`:
 * `SECTION.KEY`, or `SECTION.*` for a whole section.
 */
function fromConf(
  context: Context,
  parameter: Parameter,
  from: string,
): (Value & { place: Place | undefined }) | undefined {
  const { data, secrets, diagnostics } = context
  const dot = from.indexOf('.')
  const section = from.slice(0, dot)
  const key = from.slice(dot + 1)
  if (section === SECRETS) {
    const secret = data.secrets.get(key)
    if (secret === undefined) return undefined
    const value = coerced(context, parameter, secret, undefined, `the secret ${key}`)
    collectTexts(secret, secrets)
    collectTexts(value, secrets)
    const origin: Origin = { by: 'secret', name: key }
    return { value, secret: true, secretNames: [key], origin, place: undefined }
  }
  if (key === '*') {
    const entries = data.conf?.section(section)
    if (!entries) return undefined
    const whole = coerceSection(entries, parameter.decl as ValueSchema)
    if ('errors' in whole) {
      for (const error of whole.errors) {
        diagnostics.push({
          severity: 'error',
          code: 'conf-value',
          message: `[${section}] ${error.key} is not ${error.expected}`,
          place: error.entry.place,
          expected: error.expected,
          found: error.entry.value,
        })
      }
      throw new Failed()
    }
    return {
      value: whole.value,
      secret: false,
      origin: { by: 'zulip.conf', setting: from, place: undefined },
      place: undefined,
    }
  }
  const entry = data.conf?.get(section, key)
  if (!entry) return undefined
  const { place } = entry
  return {
    value: coerced(context, parameter, entry.value, place, `[${section}] ${key}`),
    secret: false,
    origin: { by: 'zulip.conf', setting: from, place },
    place,
  }
}

function secretName({ from = '' }: ParameterDecl): string {
  return from.slice(SECRETS.length + 1)
}

/** Text as the type that the parameter declares. */
function coerced(
  { diagnostics }: Context,
  { instance, name, decl }: Parameter,
  text: string,
  place: Place | undefined,
  setting: string,
): unknown {
  const type =
    decl.type ?? (decl.enum?.every((value) => typeof value === 'number') ? 'number' : 'string')
  const found = coerce(text, { ...decl, type } as ValueSchema)
  if ('value' in found) return found.value
  const comment = place && commentIn(text)
  diagnostics.push({
    severity: 'error',
    code: 'conf-value',
    message: `${setting} is not ${found.error} ("${name}" of ${instance.manifest.name})`,
    ...(place ? { place } : {}),
    expected: found.error,
    ...(place ? { found: text === '' ? 'an empty value' : text } : {}),
    help:
      text === ''
        ? 'give it a value, or remove the line'
        : comment === undefined
          ? `write ${found.error}`
          : `give the comment a line of its own, above the setting: ${comment}`,
  })
  throw new Failed()
}

/** Throws `Failed` after telling where a value does not fit the declaration. */
function check(
  { library, diagnostics }: Context,
  { instance, name, decl }: Parameter,
  { value, secret, secretNames = [] }: Omit<Value, 'origin'>,
  place: () => Place | undefined,
): void {
  const { manifest } = instance
  const plain = value instanceof Map ? Object.fromEntries(value) : value
  const validate = fragmentValidator(valueSchemaOf(decl))
  if (!validate || validate(plain)) return
  const from = [...new Set(secretNames)].map((each) => `[secrets] ${each}`).join(' and ')
  const found = schemaDiagnostics(validate.errors ?? [], {
    value: plain,
    file: manifest.file,
    base: ['parameters', name],
    sources: {
      place: () => place() ?? library.sources.place(manifest.file, ['parameters', name], 'key'),
    },
    subject: `parameter "${name}" of ${manifest.name}${from === '' ? '' : `, from ${from} of zulip-secrets.conf,`}`,
  })
  for (const diagnostic of found)
    diagnostics.push(secret ? { ...diagnostic, found: '(secret)' } : diagnostic)
  throw new Failed()
}
