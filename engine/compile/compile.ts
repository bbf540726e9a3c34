import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import { sortByPlace, uniqueDiagnostics } from '../diagnostics/render.ts'
import type { Library } from '../load/library.ts'
import type { Manifest } from '../load/manifest.ts'
import type { Sources } from '../load/sources.ts'
import type { Footprint, ResourceType } from '../resources/type.ts'
import type { Catalog, CatalogResource } from './catalog.ts'
import { contradictions } from './contradictions.ts'
import { Declarations } from './declare.ts'
import type { Declared } from './declared.ts'
import { orderResources } from './edges.ts'
import { Evaluation, type LeftOut } from './evaluation.ts'
import { Failed } from './instance.ts'
import { leftOut } from './left-out.ts'
import type { Data } from './parameter.ts'
import { Scopes } from './scope.ts'

export interface CompileInput {
  /** Classes by name, with the place where each is listed. */
  readonly classes: readonly { readonly name: string; readonly place?: Place | undefined }[]
  readonly library: Library
  readonly types: ReadonlyMap<string, ResourceType>
  readonly data: Data
  /** Keeps where each value came from, for `explain`. */
  readonly withSources?: boolean
  /** Whether these are not all classes that the host is to have. */
  readonly isPartial?: boolean
}

export type Compiled =
  | {
      readonly catalog: Catalog
      readonly diagnostics: readonly Diagnostic[]
      /** What a `when` leaves out, by reference and by id; worked out when it is asked for. */
      readonly leftOut: () => ReadonlyMap<string, LeftOut>
    }
  | { readonly catalog?: undefined; readonly diagnostics: readonly Diagnostic[] }

/** Ten thousand resources without secrets share what is empty. */
const NO_NAMES: ReadonlySet<string> = new Set()
const NO_SOURCES: CatalogResource['sources'] = new Map()

/**
 * A class whose `with` values depend on each other settles in as many passes as it is deep; more is a circle.
 */
const MAX_PASSES = 10
const MAX_RESOURCES = 1_000_000

/**
 * Classes, data and facts as a catalog, or everything that is wrong with them.
 * Pure: the same input gives the same catalog.
 */
export function compile(input: CompileInput): Compiled {
  return compileWith(input, (evaluation, declarations) => {
    for (const { name, place } of input.classes) {
      const manifest = input.library.find(name)
      if (!manifest) {
        evaluation.isWhole = false
        unknownClass(input, evaluation, name, place)
      } else if (manifest.steps) isProcedure(evaluation, name, place)
      else evaluation.include(name, input.classes.length === 1)
    }
    for (const instance of evaluation.instances.slice()) declarations.instance(instance)
  })
}

/**
 * Evaluates what `act` asks for and makes a catalog of the resources that it declares. `act` may be called more
 * than once, until the values that classes give each other have settled.
 */
export function compileWith(
  input: CompileInput,
  act: (evaluation: Evaluation, declarations: Declarations) => void,
): Compiled {
  const { library, data, types } = input
  const scopes = new Scopes(library, data.factFields)
  const withs = new Map()
  const told = library.diagnostics.length
  for (let pass = 1; ; pass++) {
    const evaluation = new Evaluation(library, data, scopes, withs)
    const declarations = new Declarations(evaluation, types, {
      withSources: input.withSources ?? false,
    })
    try {
      act(evaluation, declarations)
    } catch (error) {
      if (!(error instanceof Failed)) throw error
    }
    evaluation.forgetStale()
    if (evaluation.late && pass < MAX_PASSES) continue
    const diagnostics: Diagnostic[] = [
      ...library.diagnostics,
      ...scopes.diagnostics,
      ...withoutTold([...evaluation.diagnostics, ...declarations.diagnostics], scopes.diagnostics),
    ]
    if (evaluation.late) {
      diagnostics.push({
        severity: 'error',
        code: 'value-loop',
        message: `${evaluation.late.name} never settles: what is given by "with" depends on it`,
        place: library.sources.place(evaluation.late.given.file, evaluation.late.given.path),
        help: 'let one of the values stand on its own',
      })
    }
    if (declarations.resources.size > MAX_RESOURCES) {
      diagnostics.push({
        severity: 'error',
        code: 'limit',
        message: 'the catalog has more than 1 000 000 resources',
      })
    }
    if (declarations.hasFailed && !diagnostics.some(isError))
      diagnostics.push(...declarations.muted)
    // Manifests at fault that were read for others are told again, and do not count here.
    const own = diagnostics.slice(told)
    const isBroken =
      scopes.meetsBad || [...library.diagnostics.slice(told), ...scopes.diagnostics].some(isError)
    if (isBroken || evaluation.late || !evaluation.isWhole) {
      if (!diagnostics.some(isError)) throw new Error('a value failed and nothing was told')
      return { diagnostics: sortByPlace(uniqueDiagnostics(diagnostics)) }
    }
    let missing: ReadonlyMap<string, LeftOut> | undefined
    const whatIsLeftOut = () => {
      if (missing) return missing
      const fresh = new Evaluation(library, data, new Scopes(library, data.factFields), withs)
      const names = input.classes.map(({ name }) => name)
      missing = leftOut(names, fresh, new Declarations(fresh, types, { withSources: false }))
      return missing
    }
    const finished = finish(input, evaluation, declarations, whatIsLeftOut)
    const all = sortByPlace(uniqueDiagnostics([...diagnostics, ...finished.diagnostics]))
    return own.some(isError) ? { diagnostics: all } : { ...finished, diagnostics: all }
  }
}

function finish(
  input: CompileInput,
  evaluation: Evaluation,
  declarations: Declarations,
  whatIsLeftOut: () => ReadonlyMap<string, LeftOut>,
): Compiled {
  const { library, types } = input
  const declared = [...declarations.resources.values()]
  const resources = declared.map((item, index): CatalogResource => {
    const { resource } = item
    const type = types.get(resource.type) as ResourceType
    return {
      ...resource,
      index,
      id: item.id,
      tags: item.tags,
      noop: item.noop,
      sensitive: item.sensitive.size > 0 ? item.sensitive : NO_NAMES,
      containers: item.containers,
      file: item.file,
      path: item.path,
      footprint: wholeFootprint(type.footprint(resource), item),
      sources: item.sources.size > 0 ? item.sources : NO_SOURCES,
    }
  })
  const containers = new Set(evaluation.instances.map((instance) => instance.ref))
  for (const resource of resources)
    for (const container of resource.containers) containers.add(container)
  const { ordered, diagnostics } = orderResources({
    resources,
    references: declared.map((item) => item.references),
    containerReferences: declarations.containerReferences,
    optional: new Set(declared.flatMap(({ optional }, index) => (optional ? [index] : []))),
    isLeftOut: (ref) =>
      declarations.absent.has(ref) || evaluation.absent.has(ref) || whatIsLeftOut().has(ref),
    containers,
    types,
    sources: library.sources,
  })
  const contradicting = contradictions(resources, library.sources)
  if (!ordered || contradicting.length > 0) {
    return { diagnostics: [...diagnostics, ...contradicting] }
  }
  return {
    catalog: {
      classes: input.classes.map(({ name }) => name),
      resources,
      ...ordered,
      secrets: [...evaluation.secrets],
      ...(evaluation.generated.size > 0 ? { generated: evaluation.generated } : {}),
      ...(input.isPartial ? { isPartial: true } : {}),
      ...(input.withSources ? { uses: declarations.uses } : {}),
      notices: evaluation.instances.flatMap(({ manifest }) =>
        incompleteNotices(manifest, library.sources),
      ),
    },
    diagnostics,
    leftOut: whatIsLeftOut,
  }
}

/** What a class is to hold and does not hold yet, as it says itself. */
export function incompleteNotices(manifest: Manifest, sources: Sources): Diagnostic[] {
  return manifest.incomplete.map((sentence, index) => ({
    severity: 'notice',
    code: 'incomplete',
    message: `${manifest.name} does not hold yet: ${sentence}`,
    place: sources.place(manifest.file, ['incomplete', index]),
  }))
}

function wholeFootprint(own: Footprint, { needs, provides }: Declared): Footprint {
  if (needs.length === 0 && provides.length === 0) return own
  return {
    ...own,
    needs: [...(own.needs ?? []), ...needs],
    provides: [...(own.provides ?? []), ...provides],
  }
}

function unknownClass(
  input: CompileInput,
  evaluation: Evaluation,
  name: string,
  place: Place | undefined,
): void {
  if (input.library.isBad(name)) {
    evaluation.scopes.bad(name)
    return
  }
  const help = input.library.nearest(name)
  evaluation.diagnostics.push({
    severity: 'error',
    code: 'unknown-class',
    message: `there is no class ${name}`,
    ...(place ? { place } : {}),
    expected: `${name.replaceAll('::', '/')}.yaml under one of: ${input.library.folders.map((folder) => input.library.sources.shown(folder.manifests)).join(', ')}`,
    help: help ?? 'steward classes lists those that exist',
  })
}

function isProcedure(evaluation: Evaluation, name: string, place: Place | undefined): void {
  evaluation.diagnostics.push({
    severity: 'error',
    code: 'unknown-class',
    message: `${name} is a procedure, which is run by itself and not together with classes`,
    ...(place ? { place } : {}),
    help: `run: steward apply ${name}`,
  })
}

/**
 * A wrong type that the check of the manifest has told need not be told again when its expression is evaluated.
 */
function withoutTold(found: readonly Diagnostic[], checked: readonly Diagnostic[]): Diagnostic[] {
  const line = ({ code, place }: Diagnostic) =>
    code === 'expression-type' && place ? `${place.file}:${place.line}` : undefined
  const told = new Set(checked.map(line))
  return found.filter((diagnostic) => {
    const own = line(diagnostic)
    return own === undefined || !told.has(own)
  })
}

function isError(diagnostic: Diagnostic): boolean {
  return diagnostic.severity === 'error'
}
