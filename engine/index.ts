import { join, resolve } from 'node:path'
import { apply } from './apply/apply.ts'
import type { Catalog } from './compile/catalog.ts'
import { type CompileInput, compile } from './compile/compile.ts'
import type { LeftOut } from './compile/evaluation.ts'
import { factFields } from './compile/fact-fields.ts'
import type { Data } from './compile/parameter.ts'
import { type Selection, selected } from './compile/selection.ts'
import { type Diagnostic, Refusal } from './diagnostics/diagnostic.ts'
import { factsFromFile } from './facts/file.ts'
import { readFacts } from './facts/index.ts'
import type { Facts } from './facts/schema.ts'
import type { Host } from './host/host.ts'
import { localHost } from './host/local.ts'
import { classList } from './load/class-list.ts'
import { commentedValues } from './load/commented-values.ts'
import type { Conf, ConfEntry } from './load/conf.ts'
import { secretMaker } from './load/generated-secrets.ts'
import { Library, type ManifestFolder, siteFolder } from './load/library.ts'
import { keptManifests } from './load/manifest-cache.ts'
import { misspeltSettings } from './load/misspelt-settings.ts'
import { readConf } from './load/read-conf.ts'
import { readSecrets } from './load/secrets.ts'
import { readSite, type Site } from './load/site.ts'
import { Sources } from './load/sources.ts'
import { type Past, type Plan, plan } from './plan.ts'
import { probe, type States } from './probe.ts'
import { opaqueNotice } from './prove/execs.ts'
import { prove } from './prove/prove.ts'
import { type Coverage, coverageOf } from './record/managed.ts'
import { types } from './resources/index.ts'
import type { LocalEdits } from './resources/type.ts'
import { shippedFolder } from './shipped.ts'

/** What a trip of the road starts from. */
export interface RoadOptions {
  /** The tree that is managed. */
  readonly root: string
  /** The state folder, a path of this machine. */
  readonly state: string
  /** Folders of manifests that come before the shipped ones. */
  readonly manifests: readonly string[]
  /** Where zulip.conf, secrets, site file and site facts lie in the managed tree. */
  readonly paths: {
    readonly conf: string
    readonly secrets: string
    readonly site: string
    readonly siteFacts: string
  }
  /** Files of this machine that take the place of those of the tree. */
  readonly instead: {
    readonly conf?: string
    readonly secrets?: string
    readonly site?: string
    readonly facts?: string
  }
  /** Classes that were named; those that zulip.conf lists where there are none. */
  readonly classes: readonly string[]
  /** Set for a command that takes no classes. */
  readonly isOfHost?: boolean
  /** `--with`. */
  readonly with: Readonly<Record<string, string>>
  /** Whether parsed manifests may be kept for the next run. */
  readonly mayKeep: boolean
  readonly withSources?: boolean
  /** What becomes of local edits, whatever manifests and site file say. */
  readonly localEdits?: LocalEdits
}

/** What the stages after `load` and `facts` take. */
export interface Loaded {
  readonly host: Host
  readonly library: Library
  readonly conf: Conf
  readonly facts: Facts
  readonly settings: Site['settings']
  readonly input: CompileInput
  readonly coverage: Coverage
  /** Warnings of the facts. */
  readonly notices: readonly Diagnostic[]
  /** Warnings of settings that look like others, and of values that seem to hold a comment. Asked once the classes have been read. */
  readonly misspelt: () => readonly Diagnostic[]
}

export function shippedManifests(): ManifestFolder {
  const manifests = shippedFolder('manifests')
  return { manifests, templates: shippedFolder('templates'), files: join(manifests, 'files') }
}

/** The manifests of some folders, and then the shipped ones. */
export function openLibrary(options: {
  readonly manifests: readonly string[]
  readonly state: string
  readonly mayKeep: boolean
}): Library {
  const cache = keptManifests({ state: options.state, mayWrite: options.mayKeep })
  return new Library({
    folders: [
      ...options.manifests.map((folder) => siteFolder(resolve(folder))),
      shippedManifests(),
    ],
    types: types.keys(),
    sources: new Sources(),
    ...(cache ? { cache } : {}),
  })
}

/** load and facts. Throws a Refusal with every mistake that was found. */
export async function load(options: RoadOptions): Promise<Loaded> {
  const host = localHost({ root: options.root })
  const machine = localHost()
  const diagnostics: Diagnostic[] = []
  const { paths, instead } = options
  const isNamed = options.classes.length > 0
  const from = (path: string | undefined, own: string) =>
    path === undefined ? ([host, own] as const) : ([machine, resolve(path)] as const)

  const conf = readConf(...from(instead.conf, paths.conf))
  const secrets = readSecrets(...from(instead.secrets, paths.secrets))
  const site = await readSite(...from(instead.site, paths.site))
  const read = await readFacts(host, { machine, siteFolder: paths.siteFacts })
  diagnostics.push(...read.diagnostics)
  let { facts } = read
  if (instead.facts !== undefined) {
    const given = await factsFromFile(resolve(instead.facts), facts)
    if ('diagnostics' in given) diagnostics.push(...given.diagnostics)
    if ('facts' in given) facts = given.facts
  }
  for (const each of [conf, secrets, site])
    if ('diagnostics' in each) diagnostics.push(...each.diagnostics)
  const classes = 'diagnostics' in conf ? [] : classesOf(conf.conf, options, diagnostics)
  if (!('diagnostics' in conf) && !conf.exists && (!isNamed || instead.conf !== undefined))
    diagnostics.push(noConf(conf.conf.file, options))
  refuse(diagnostics)
  if ('diagnostics' in conf || 'diagnostics' in secrets || 'diagnostics' in site)
    throw new Error('a mistake was not told')

  const named = isNamed ? namesOf(classes) : []
  const coverage = coverageOf(named, namesOf(listedClasses(conf.conf).classes))
  const library = openLibrary(options)
  const data: Data = {
    conf: conf.conf,
    secrets: new Map([...secrets.secrets].map(([name, { value }]) => [name, value])),
    site: site.site.parameters,
    facts: facts as unknown as Data['facts'],
    factFields,
    makeSecret: secretMaker(),
    options: options.with,
  }
  return {
    host,
    library,
    conf: conf.conf,
    facts,
    settings: site.site.settings,
    coverage,
    input: {
      classes,
      library,
      types,
      data,
      withSources: options.withSources ?? false,
      isPartial: coverage.isPartial,
    },
    notices: diagnostics,
    misspelt: () => [
      ...misspeltSettings(conf.conf, library, () => openLibrary(options)),
      ...commentedValues(conf.conf),
    ],
  }
}

/** compile. Throws a Refusal with every mistake that was found. */
export function compileCatalog({ input, misspelt }: Loaded): {
  readonly catalog: Catalog
  readonly notices: readonly Diagnostic[]
  /** What a `when` leaves out, by reference and by id. */
  readonly leftOut: () => ReadonlyMap<string, LeftOut>
} {
  const compiled = compile(input)
  const diagnostics = [...compiled.diagnostics, ...misspelt()]
  refuse(diagnostics)
  if (!compiled.catalog) throw new Error('a mistake was not told')
  const { catalog, leftOut } = compiled
  return { catalog, notices: diagnostics, leftOut }
}

/** All that a proof has to say of a catalog. */
export function provenOf(catalog: Catalog, { sources }: Library): readonly Diagnostic[] {
  const { findings, opaque } = prove(catalog, sources)
  return [...findings, ...opaque.map((exec) => opaqueNotice(exec, sources))]
}

/** probe and plan. */
export async function preview(
  host: Host,
  catalog: Catalog,
  { selection, past }: { readonly selection: Selection; readonly past: Past },
): Promise<{ readonly states: States; readonly plan: Plan }> {
  const { files, owed, orphans } = past
  const chosen = selected(catalog, selection)
  const states = await probe({ catalog, types, host, selected: chosen, files })
  return {
    states,
    plan: plan({ catalog, states, types, cannotRun: host.cannotRun, owed, orphans }),
  }
}

function classesOf(
  conf: Conf,
  options: RoadOptions,
  diagnostics: Diagnostic[],
): CompileInput['classes'] {
  if (options.classes.length > 0)
    return options.classes.map((name) => ({ name: name.replace(/^::/, '') }))
  const listed = listedClasses(conf)
  diagnostics.push(...listed.diagnostics)
  return listed.classes
}

/** The classes that zulip.conf lists, or why they can't be told. */
export function listedClasses(conf: Conf): {
  readonly classes: CompileInput['classes']
  readonly diagnostics: readonly Diagnostic[]
} {
  const entry = conf.get('machine', 'puppet_classes')
  if (entry) {
    const listed = { classes: [], diagnostics: [], ...classList(entry) }
    const isEmpty = listed.classes.length + listed.diagnostics.length === 0
    return isEmpty ? { classes: [], diagnostics: [emptyList(conf, entry)] } : listed
  }
  if (conf.sections().length === 0) return { classes: [], diagnostics: [] }
  const none: Diagnostic = {
    severity: 'error',
    code: 'conf-value',
    message: `${conf.file} lists no classes`,
    expected: 'puppet_classes in its [machine] section',
    help: 'run: steward conf add machine.puppet_classes zulip::voyager',
  }
  return { classes: [], diagnostics: [none] }
}

/** An empty list is what it says, and most often a slip. */
function emptyList({ file }: Conf, { name }: ConfEntry): Diagnostic {
  return {
    severity: 'warning',
    code: 'conf-value',
    message: `${file} lists no classes: puppet_classes is empty`,
    place: name,
    help: 'run: steward conf add machine.puppet_classes zulip::voyager',
  }
}

function namesOf(classes: CompileInput['classes']): string[] {
  return classes.map(({ name }) => name)
}

function noConf(file: string, { instead, isOfHost }: RoadOptions): Diagnostic {
  const none = { severity: 'error', code: 'not-found' } as const
  if (instead.conf !== undefined)
    return { ...none, message: `there is no ${file}, which --config names` }
  return isOfHost
    ? {
        ...none,
        message: `there is no ${file}, which lists the classes of this host`,
        help: 'name another with --config, or run: steward conf add machine.puppet_classes zulip::voyager',
      }
    : {
        ...none,
        message: `there is no ${file}, and no class was named`,
        help: 'name a class, such as zulip::voyager; steward classes lists them',
      }
}

function refuse(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new Refusal(diagnostics)
}

export { apply, types }
