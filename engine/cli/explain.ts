import { posix } from 'node:path'
import type { Catalog, CatalogResource, DefineUse, Edge, ValueRead } from '../compile/catalog.ts'
import { edgeReason } from '../compile/edge-reason.ts'
import type { LeftOut } from '../compile/evaluation.ts'
import { RenderedText } from '../compile/file-body.ts'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { compileCatalog, load } from '../index.ts'
import type { Library } from '../load/library.ts'
import { redactor, SECRET } from '../redactor.ts'
import { type Explanation, renderExplanation } from '../ui/explain-text.ts'
import { jsonText } from '../ui/json.ts'
import { withExample } from './example.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { note, paintOf, print, showDiagnostics } from './output.ts'

/**
 * `steward explain`: where each value of a resource came from, and why it stands where it does in the order.
 */
export async function run(
  flags: CommonFlags,
  name: string,
  classes: readonly string[],
): Promise<number> {
  const { options: road, told } = withExample(roadOptions(flags, classes, false))
  if (told !== undefined) note(told)
  const loaded = await load({ ...road, withSources: true })
  const { catalog, notices, leftOut } = compileCatalog(loaded)
  const { library } = loaded
  const use = catalog.uses?.find(({ ref }) => ref === name)
  const explanation = use
    ? explainUse(catalog, use, library)
    : explain(
        catalog,
        find(catalog, name, () => leftOutAt(name, leftOut(), library)),
        library,
      )
  showDiagnostics([...loaded.notices, ...notices])
  print(
    flags.json
      ? jsonText(explanation)
      : renderExplanation(explanation, { paint: paintOf(process.stdout) }),
  )
  return 0
}

/** By reference, by id, or by a title that only one resource has. */
function find(catalog: Catalog, name: string, leftOut: () => Refusal | undefined): CatalogResource {
  const { resources } = catalog
  const ref = refOf(name)
  const exact = resources.find((resource) => resource.ref === ref || resource.id === name)
  if (exact) return exact
  const titled = resources.filter((resource) => resource.title === name)
  const [only] = titled
  if (only && titled.length === 1) return only
  const refused = titled.length === 0 ? leftOut() : undefined
  if (refused) throw refused
  const refs = [
    ...resources.map((resource) => resource.ref),
    ...(catalog.uses ?? []).map((use) => use.ref),
  ]
  throw new Refusal({
    severity: 'error',
    code: 'not-found',
    message:
      titled.length > 1
        ? `there are ${titled.length} resources with the title ${name}`
        : `there is no resource ${name} in the catalog`,
    ...(titled.length > 1
      ? { expected: `one of: ${titled.map((each) => each.ref).join(', ')}` }
      : {}),
    help:
      (titled.length > 1 ? undefined : nearest(name, resources, refs)) ??
      'steward compile lists them all',
  })
}

function refOf(name: string): string {
  const [, type, title] = /^([a-z_]+)\[(.*)\]$/s.exec(name) ?? []
  return type === 'file' ? `file[${posix.resolve('/', title ?? '')}]` : name
}

/** Where a resource, by reference, id or title, is left out of the catalog. */
function leftOutAt(
  name: string,
  leftOut: ReadonlyMap<string, LeftOut>,
  { sources }: Library,
): Refusal | undefined {
  const ref = leftOut.has(refOf(name))
    ? refOf(name)
    : [...leftOut.keys()].find((each) => each.endsWith(`[${name}]`))
  const why = ref === undefined ? undefined : leftOut.get(ref)
  if (ref === undefined || !why) return undefined
  const place = sources.place(why.file, why.path)
  return new Refusal({
    severity: 'error',
    code: 'not-found',
    message: `${ref} is left out of the catalog, for this "when" is false: ${why.when}`,
    place,
  })
}

function nearest(
  name: string,
  resources: readonly CatalogResource[],
  refs: readonly string[],
): string | undefined {
  if (name.includes('[')) return didYouMean(name, refs)
  return didYouMean(
    name,
    resources.map((resource) => resource.title),
  )
}

/** All that is known of a resource, without its secrets. */
function explain(catalog: Catalog, resource: CatalogResource, library: Library): Explanation {
  const redact = redactor(catalog.secrets)
  const { sources } = library
  const at = (file: string, path: CatalogResource['path']) => {
    const { file: shown, line, column } = sources.place(file, path)
    return `${shown}:${line}:${column}`
  }
  const attributes = Object.entries(resource.desired).map(([name, value]) => {
    const isHidden = resource.sensitive.has('*') || resource.sensitive.has(name)
    const source = resource.sources.get(name)
    return {
      name,
      value: isHidden ? SECRET : clean(value, redact),
      ...(source
        ? {
            place: at(source.file, source.path),
            ...(source.text === undefined || isHidden ? {} : { written: redact(source.text) }),
            ...(source.template === undefined ? {} : { template: sources.shown(source.template) }),
            isDefault: source.path[0] === 'defaults',
            reads: source.reads.map((read) => cleanRead(read, redact, isHidden)),
          }
        : { isDefault: false, reads: [] }),
    }
  })
  const { index } = resource
  const told = (edge: Edge) => tell(catalog, edge, redact)
  return {
    ref: resource.ref,
    ...(resource.id === undefined ? {} : { id: resource.id }),
    place: at(resource.file, resource.path),
    containers: resource.containers,
    tags: resource.tags,
    noop: resource.noop,
    attributes,
    after: catalog.edges.filter(({ to }) => to === index).map(told),
    before: catalog.edges.filter(({ from }) => from === index).map(told),
    dropped: catalog.dropped.filter(({ from, to }) => from === index || to === index).map(told),
  }
}

/** The same of the use of a define: its parameters, and what it holds. */
function explainUse(catalog: Catalog, use: DefineUse, { sources }: Library): Explanation {
  const redact = redactor(catalog.secrets)
  const { file, line, column } = sources.place(use.file, use.path)
  return {
    ref: use.ref,
    place: `${file}:${line}:${column}`,
    containers: use.containers,
    tags: [],
    noop: false,
    attributes: [],
    parameters: use.parameters.map((read) => cleanRead(read, redact, false)),
    holds: catalog.resources
      .filter(({ containers }) => containers.includes(use.ref))
      .map(({ ref }) => ref),
    after: [],
    before: [],
    dropped: [],
  }
}

function tell({ resources }: Catalog, edge: Edge, redact: (text: string) => string) {
  const from = resources[edge.from] as CatalogResource
  const to = resources[edge.to] as CatalogResource
  return {
    from: from.ref,
    to: to.ref,
    reason: redact(edgeReason(edge, from, to)),
    weak: edge.weak,
    ...(edge.refresh ? { refresh: edge.refresh } : {}),
  }
}

function cleanRead(
  read: ValueRead,
  redact: (text: string) => string,
  isHidden: boolean,
): ValueRead {
  const { name, value, origin, text, reads } = read
  return {
    name,
    // An attribute that is sensitive by a word of the manifest may be made from values that are not.
    value: isHidden ? SECRET : redact(value),
    origin,
    ...(text === undefined || isHidden ? {} : { text: redact(text) }),
    ...(reads ? { reads: reads.map((inner) => cleanRead(inner, redact, isHidden)) } : {}),
  }
}

function clean(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value)
  if (value instanceof RenderedText) return redact(value.toString())
  if (Array.isArray(value)) return value.map((item: unknown) => clean(item, redact))
  if (value instanceof Map) return clean(Object.fromEntries(value), redact)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, clean(item, redact)]),
    )
  return value
}
