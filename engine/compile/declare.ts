import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import { isObject, type Manifest, type ResourceDecl } from '../load/manifest.ts'
import { holdsExpression, schemaDiagnostics } from '../load/schema-errors.ts'
import { validator } from '../load/validators.ts'
import type { Path } from '../load/yaml.ts'
import { normalPath } from '../resources/path.ts'
import type { ResourceType } from '../resources/type.ts'
import type { DefineUse, ValueSource } from './catalog.ts'
import { type Declared, DeclaredResources, union } from './declared.ts'
import type { Each, Evaluation, Spot } from './evaluation.ts'
import { FileBodies } from './file-body.ts'
import { Failed, type Instance, type Value } from './instance.ts'
import {
  describe,
  listenedTo,
  refOf,
  type WrittenReference,
  writtenReferences,
} from './metaparameters.ts'
import { isConfigured } from './parameter.ts'
import { collectTexts, plainData } from './plain-data.ts'
import { parameterReads, valueSource } from './value-source.ts'

/** Values of these attributes are arguments of a process, which every user of the host can read. */
const ARGUMENTS = new Set(['command', 'shell', 'unless', 'onlyif', 'restart', 'reload'])
/**
 * Attributes that are no secret by themselves, also where all of a resource is
 * sensitive: their words turn up everywhere.
 */
const PLAIN = new Set([
  'ensure',
  'enable',
  'owner',
  'group',
  'mode',
  'user',
  'cwd',
  'umask',
  'creates',
])
/** Lists of references or path globs, which become texts before the type sees them. */
const LISTENING = new Set(['restart_on', 'reload_on'])

interface PreparedAttribute {
  readonly key: string
  readonly raw: unknown
  /** The path of the mapping that it stands in. */
  readonly base: Path
  /** Whether no expression is in it, so that the text as written is the value. */
  readonly isConstant: boolean
}

const NO_NAMES: ReadonlySet<string> = new Set()
const NO_SOURCES = new Map<string, never>()
/**
 * Turns the declarations of classes and defines into resources, each with its attributes evaluated and checked.
 */
export class Declarations {
  readonly #declared: DeclaredResources
  /** Written, but left out by a `when`. */
  readonly absent = new Set<string>()
  readonly diagnostics: Diagnostic[] = []
  hasFailed = false
  /**
   * What was found wrong in resources that are left out; told only where something else stumbles over the same.
   */
  readonly muted: Diagnostic[] = []
  /** References of the uses of defines, which hold for all that a use declares. */
  readonly containerReferences: {
    readonly ref: string
    readonly references: readonly WrittenReference[]
  }[] = []
  /** The uses of defines, where sources are kept. */
  readonly uses: DefineUse[] = []
  readonly #evaluation: Evaluation
  readonly #types: ReadonlyMap<string, ResourceType>
  readonly #bodies: FileBodies
  readonly #withSources: boolean
  readonly #attributes = new Map<ResourceDecl, readonly PreparedAttribute[]>()

  constructor(
    evaluation: Evaluation,
    types: ReadonlyMap<string, ResourceType>,
    options: { readonly withSources: boolean },
  ) {
    this.#evaluation = evaluation
    this.#types = types
    this.#bodies = new FileBodies(evaluation, this.diagnostics)
    this.#declared = new DeclaredResources(evaluation.library.sources, types, this.diagnostics)
    this.#withSources = options.withSources
  }

  get resources(): ReadonlyMap<string, Declared> {
    return this.#declared.byRef
  }

  /** All resources of an instance, those of the defines that it uses in their places. */
  instance(instance: Instance): void {
    const { manifest } = instance
    // What is configured is checked, whether or not something reads it here.
    for (const name of Object.keys(manifest.parameters))
      if (isConfigured(this.#evaluation.data, manifest, name)) this.#peek(instance, name)
    for (const [index, assertion] of manifest.asserts.entries())
      this.#assert(instance, assertion, ['assert', index])
    for (const [index, notice] of manifest.notices.entries())
      this.#notice(instance, notice, ['notices', index])
    for (const decl of manifest.resources) this.declare(instance, decl)
  }

  #peek(instance: Instance, name: string): void {
    try {
      instance.peek(name)
    } catch (error) {
      this.#caught(error)
    }
  }

  declare(instance: Instance, decl: ResourceDecl): void {
    for (const each of this.items(instance, decl)) {
      for (const [index, rawTitle] of decl.titles.entries()) {
        const titlePath =
          decl.titles.length > 1 ? [...decl.path, decl.type, index] : [...decl.path, decl.type]
        try {
          this.one(instance, decl, { each, title: rawTitle, titlePath })
        } catch (error) {
          this.#caught(error)
        }
      }
    }
  }

  /** What failed has been told; the rest goes on, so that all mistakes come at once. */
  #caught(error: unknown): void {
    if (!(error instanceof Failed)) throw error
    this.hasFailed = true
    this.#evaluation.isWhole = false
  }

  /** The items of `for_each`; one that is undefined where there is none. */
  items(instance: Instance, decl: ResourceDecl): readonly (Each | undefined)[] {
    const raw = decl.meta.for_each
    if (raw === undefined) return [undefined]
    const path = [...decl.path, 'for_each']
    /** What is written out is secret item by item; what an expression gives is secret as a whole. */
    const item = (key: string | number, written: unknown): Each => {
      const { value, secret } = this.#evaluation.value(written, { instance, path: [...path, key] })
      return secret ? { key, value, secret: { key: false, value: true } } : { key, value }
    }
    try {
      if (Array.isArray(raw)) return raw.map((written, key) => item(key, written))
      if (isObject(raw)) return Object.entries(raw).map(([key, written]) => item(key, written))
      const { value, secret } = this.#evaluation.value(raw, { instance, path })
      const given = (key: string | number, each: unknown): Each =>
        secret
          ? { key, value: each, secret: { key: typeof key === 'string', value: true } }
          : { key, value: each }
      if (Array.isArray(value)) return value.map((each, key) => given(key, each))
      if (value instanceof Map) return [...value].map(([key, each]) => given(key, each))
      if (isObject(value)) return Object.entries(value).map(([key, each]) => given(key, each))
      this.#error(instance, path, {
        code: 'expression-type',
        message: 'for_each takes a list or a map',
        ...(secret ? {} : { found: JSON.stringify(value) }),
      })
    } catch (error) {
      this.#caught(error)
    }
    return []
  }

  /** One of the titles of a declaration, for one item of its `for_each`. */
  one(
    instance: Instance,
    decl: ResourceDecl,
    {
      each,
      title: rawTitle,
      titlePath,
    }: { readonly each: Each | undefined; readonly title: string; readonly titlePath: Path },
  ): void {
    const spot = (path: Path): Spot => ({ instance, path, each })
    const { meta } = decl
    if (
      meta.when !== undefined &&
      !this.#evaluation.condition(meta.when, spot([...decl.path, 'when']))
    ) {
      this.#leaveOut(decl, rawTitle, spot(titlePath))
      return
    }
    const { value: titles, secret } = this.#evaluation.value(rawTitle, spot(titlePath))
    if (secret) {
      this.#evaluation.isWhole = false
      this.#error(instance, titlePath, {
        code: 'sensitive-value',
        message: `the title of a ${decl.type} holds a secret, and titles are shown`,
        help: 'choose another title, and put the secret into an attribute',
      })
      return
    }
    for (const title of Array.isArray(titles) ? titles : [titles]) {
      if (typeof title !== 'string' || title === '') {
        this.#evaluation.isWhole = false
        this.#error(instance, titlePath, {
          code: 'wrong-value',
          message: `the title of a ${decl.type} is text`,
          found: JSON.stringify(title) ?? 'nothing',
        })
        continue
      }
      if (decl.type.includes('::')) this.#define(instance, decl, each, title)
      else this.#resource(instance, decl, each, title)
    }
  }

  #leaveOut(decl: ResourceDecl, rawTitle: string, spot: Spot): void {
    const before = this.#evaluation.diagnostics.length
    try {
      const { value } = this.#evaluation.value(rawTitle, spot)
      for (const title of Array.isArray(value) ? value : [value])
        this.absent.add(refOf(this.#evaluation.library, decl.type, String(title)))
      if (typeof decl.meta.id === 'string') this.absent.add(decl.meta.id)
    } catch (error) {
      if (!(error instanceof Failed)) throw error
      // What it would be called depends on what is not there: nothing can refer to it then.
      this.muted.push(...this.#evaluation.diagnostics.splice(before))
    }
  }

  #define(instance: Instance, decl: ResourceDecl, each: Each | undefined, title: string): void {
    const { library } = this.#evaluation
    const manifest = library.find(decl.type)
    // Told when the manifest was checked.
    if (manifest?.kind !== 'define') return
    const given: Record<string, Value> = {}
    for (const [key, raw] of Object.entries({
      ...instance.manifest.defaults[decl.type],
      ...decl.attributes,
    })) {
      const path = key in decl.attributes ? [...decl.path, key] : ['defaults', decl.type, key]
      const value = this.#evaluation.value(raw, { instance, path, each })
      given[key] = { ...value, origin: { by: 'with', file: instance.manifest.file, path } }
    }
    const count = this.#evaluation.instances.length
    const use = this.#evaluation.use(
      manifest,
      title,
      given,
      { file: instance.manifest.file, path: decl.path },
      instance.containers,
    )
    for (const included of this.#evaluation.instances.slice(count)) this.instance(included)
    this.instance(use)
    if (this.#withSources) {
      this.uses.push({
        ref: use.ref,
        file: instance.manifest.file,
        path: decl.path,
        containers: instance.containers,
        parameters: parameterReads(this.#evaluation, use),
      })
    }
    this.#container(instance, use.ref, decl, each)
  }

  /** A use of a define takes part in the order as a whole, by its own references. */
  #container(instance: Instance, ref: string, decl: ResourceDecl, each: Each | undefined): void {
    const references = writtenReferences(this.#evaluation, instance, decl, each)
    if (references.length > 0) this.containerReferences.push({ ref, references })
  }

  /**
   * The attributes of a declaration with those that its class gives by
   * default, the same for every item of `for_each`.
   */
  #prepared({ manifest }: Instance, decl: ResourceDecl): readonly PreparedAttribute[] {
    let prepared = this.#attributes.get(decl)
    if (!prepared) {
      const from = (base: Path, attributes: Readonly<Record<string, unknown>>) =>
        Object.keys(attributes).map((key): PreparedAttribute => {
          const raw = attributes[key]
          return { key, raw, base, isConstant: !LISTENING.has(key) && !holdsExpression(raw) }
        })
      prepared = from(decl.path, decl.attributes)
      const defaults = manifest.defaults[decl.type]
      if (defaults) {
        const inherited = from(['defaults', decl.type], defaults)
        prepared = [...prepared, ...inherited.filter(({ key }) => !(key in decl.attributes))]
      }
      if (decl.meta.for_each !== undefined) this.#attributes.set(decl, prepared)
    }
    return prepared
  }

  #resource(
    instance: Instance,
    decl: ResourceDecl,
    each: Each | undefined,
    rawTitle: string,
  ): void {
    const { manifest } = instance
    const type = this.#types.get(decl.type)
    if (!type) return
    const title = decl.type === 'file' ? normalPath(rawTitle) : rawTitle
    const ref = `${decl.type}[${title}]`
    const desired: Record<string, unknown> = {}
    const sensitive: string[] = []
    const sources = this.#withSources ? new Map<string, ValueSource>() : NO_SOURCES
    const before = this.#evaluation.diagnostics.length
    // Kept apart, for its content takes its place: after a `delete` V8 keeps an object in seven times the room.
    let template: unknown
    const set = (key: string, value: unknown) => {
      if (key === 'template') template = value
      else desired[key] = value
    }
    for (const { key, raw, base, isConstant } of this.#prepared(instance, decl)) {
      if (isConstant && !this.#withSources) {
        set(key, raw)
        continue
      }
      const path = [...base, key]
      const { value, secret } = this.#evaluation.value(raw, { instance, path, each })
      if (secret) {
        if (ARGUMENTS.has(key)) {
          this.#error(instance, path, {
            code: 'sensitive-value',
            message: `"${key}" of ${ref} holds a secret, and every user of the host can read the arguments of a process`,
            help: 'hand the secret over by stdin, by a file, or by environment',
          })
          throw new Failed()
        }
        sensitive.push(key)
      }
      set(key, LISTENING.has(key) ? listenedTo(this.#evaluation.library, value) : plainData(value))
      if (this.#withSources)
        sources.set(key, valueSource(this.#evaluation, { instance, path, each }, raw))
    }
    let body: ReturnType<FileBodies['content']> | undefined
    if (typeof template === 'string' && desired.content === undefined) {
      body = this.#bodies.content(template, {
        ref,
        instance,
        decl,
        each,
        sensitive,
        sources: this.#withSources ? sources : undefined,
      })
      desired.content = body.text
    } else if (template !== undefined) desired.template = template
    if (typeof desired.source === 'string' && !desired.source.startsWith('/'))
      desired.source = this.#bodies.source(desired.source, { ref, instance, decl })
    if (this.#evaluation.diagnostics.length > before) {
      this.#evaluation.isWhole = false
      return
    }

    const validate = validator(`resources/${decl.type}`)
    if (!validate(desired)) {
      this.#evaluation.isWhole = false
      this.diagnostics.push(
        ...schemaDiagnostics(validate.errors ?? [], {
          value: desired,
          file: manifest.file,
          base: decl.path,
          sources: { place: (_file, path, on) => this.#attributePlace(instance, decl, path, on) },
          subject: ref,
        }).map((diagnostic) => (sensitive.length > 0 ? withoutFound(diagnostic) : diagnostic)),
      )
      return
    }
    const resource = { ref, type: decl.type, title, desired }
    const fault = type.check?.(resource)
    if (fault) {
      this.#evaluation.isWhole = false
      this.#error(
        instance,
        fault.attribute !== undefined && fault.attribute in decl.attributes
          ? [...decl.path, fault.attribute]
          : [...decl.path, decl.type],
        {
          code: 'wrong-value',
          message: fault.message.includes(ref) ? fault.message : `${ref}: ${fault.message}`,
          ...(fault.help ? { help: fault.help } : {}),
        },
      )
      return
    }
    const meta = describe(this.#evaluation, instance, decl, each)
    if (meta.sensitive === true) sensitive.push('*')
    else sensitive.push(...meta.sensitive)
    if (meta.sensitive === true || meta.sensitive.length > 0) {
      for (const [key, value] of Object.entries(desired)) {
        const isNamed = meta.sensitive === true ? !PLAIN.has(key) : meta.sensitive.includes(key)
        if (isNamed) collectTexts(value, this.#evaluation.secrets)
      }
    }
    // What it comes to has been checked, and need not be held.
    if (body) desired.content = body.late
    this.#declared.add({
      resource,
      id:
        typeof decl.meta.id === 'string'
          ? String(
              this.#evaluation.value(decl.meta.id, { instance, path: [...decl.path, 'id'], each })
                .value,
            )
          : undefined,
      tags: union(meta.tags, manifest.tags),
      noop: meta.noop,
      sensitive: sensitive.length > 0 ? new Set(sensitive) : NO_NAMES,
      containers: instance.containers,
      file: manifest.file,
      path: decl.path,
      references: writtenReferences(this.#evaluation, instance, decl, each),
      needs: meta.needs,
      provides: meta.provides,
      optional: meta.optional,
      sources,
    })
  }

  #assert(
    instance: Instance,
    assertion: { readonly that: string | boolean; readonly message: string },
    path: Path,
  ): void {
    try {
      if (this.#evaluation.condition(assertion.that, { instance, path: [...path, 'that'] })) return
      const { value, secret } = this.#evaluation.value(assertion.message, {
        instance,
        path: [...path, 'message'],
      })
      this.#error(instance, [...path, 'that'], {
        code: 'assertion-failed',
        message: secret
          ? `an assertion of ${instance.manifest.name} does not hold; its message reads a secret and is not shown`
          : String(value).replace(/\.$/, ''),
      })
    } catch (error) {
      this.#caught(error)
    }
  }

  #notice(
    instance: Instance,
    { message, when = true }: Manifest['notices'][number],
    path: Path,
  ): void {
    try {
      if (!this.#evaluation.condition(when, { instance, path: [...path, 'when'] })) return
      const { value, secret } = this.#evaluation.value(message, {
        instance,
        path: [...path, 'message'],
      })
      const { name } = instance.manifest
      // Without a place: it is told to whoever applies the class, not to its author.
      this.diagnostics.push({
        severity: 'notice',
        code: 'notice',
        message: secret
          ? `a notice of ${name} reads a secret and is not shown`
          : `${name}: ${String(value).replace(/\.$/, '')}`,
      })
    } catch (error) {
      this.#caught(error)
    }
  }

  #attributePlace(
    instance: Instance,
    decl: ResourceDecl,
    path: Path,
    on: 'key' | 'value' | undefined,
  ): Place {
    const { sources } = this.#evaluation.library
    const { file } = instance.manifest
    const key = String(path[decl.path.length] ?? '')
    if (
      key !== '' &&
      !(key in decl.attributes) &&
      key in (instance.manifest.defaults[decl.type] ?? {})
    ) {
      return sources.place(file, ['defaults', decl.type, ...path.slice(decl.path.length)], on)
    }
    return sources.place(file, path, on)
  }

  #error(
    instance: Instance,
    path: Path,
    diagnostic: Omit<Diagnostic, 'severity' | 'place'>,
    on?: 'key' | 'value',
  ): void {
    this.diagnostics.push({
      severity: 'error',
      ...diagnostic,
      place: this.#evaluation.library.sources.place(instance.manifest.file, path, on),
    })
  }
}

function withoutFound(diagnostic: Diagnostic): Diagnostic {
  const { found: _found, ...rest } = diagnostic
  return rest
}
