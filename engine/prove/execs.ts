import type { CatalogResource } from '../compile/catalog.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Sources } from '../load/sources.ts'
import { type Claim, finding, lineFor, nameOf, type Proving, wrongOrder } from './claim.ts'
import { accountsIn, commandsIn, pathsIn } from './words.ts'

/** What a command is written as. */
interface Written {
  readonly command?: readonly string[]
  readonly shell?: string
  readonly unless?: unknown
  readonly onlyif?: unknown
}

/** What a command names by its path has an order to it; a program that a script calls is there before. */
export function* execs(proving: Proving): Generator<Claim> {
  const { things } = proving
  for (const resource of proving.catalog.resources) {
    if (resource.type !== 'exec') continue
    const written = resource.desired as Written
    for (const path of pathsIn(textOf(written))) {
      const exact = [
        ...(things.ensures.get(`path:${path}`) ?? []),
        ...(things.removes.get(`path:${path}`) ?? []),
        ...(things.edits.get(path) ?? []),
      ]
      for (const index of exact.length > 0 ? exact : things.fillers(path))
        if (index !== resource.index) yield names(proving, resource, path, index)
    }
    yield* unsaidNeeds(proving, resource, written.shell ?? '')
  }
}

/** Programs that a script calls, and accounts that it gives files to, where the catalog brings them. */
function* unsaidNeeds(
  proving: Proving,
  resource: CatalogResource,
  script: string,
): Generator<Claim> {
  const { catalog, things } = proving
  const commands = [...commandsIn(script)].map((word) => `command:${word}`)
  for (const thing of [...commands, ...accountsIn(script)]) {
    const { by } = things.bringers(thing, resource.index)
    if (by.length === 0) continue
    const other = catalog.resources[by[0] as number] as CatalogResource
    const [kind, word] = thing.split(':')
    yield {
      anyOf: by.map((each) => [each, resource.index]),
      otherwise: () =>
        finding(proving, {
          code: 'unmet-need',
          message: `${resource.ref} names the ${nameOf(thing)}, and nothing says that ${other.ref}, which brings it, comes first`,
          resource,
          other,
          found: wrongOrder(proving, resource, other),
          help: `write in ${resource.ref}: needs: { ${kind}s: [${word}] }`,
        }),
    }
  }
}

function names(proving: Proving, resource: CatalogResource, path: string, index: number): Claim {
  const other = proving.catalog.resources[index] as CatalogResource
  return {
    anyOf: [
      [index, resource.index],
      [resource.index, index],
    ],
    otherwise: () =>
      finding(proving, {
        code: 'unmet-need',
        message: `${resource.ref} names ${path}, and nothing says whether ${other.ref}, which writes it, comes before or after`,
        resource,
        other,
        found: wrongOrder(proving, resource, other),
        help: `${lineFor(proving, other, resource)}; or before, where it is meant to come first`,
      }),
  }
}

function textOf({ command = [], shell = '', unless, onlyif }: Written): string {
  const guards = [unless, onlyif].flat(3).filter((word) => typeof word === 'string')
  return [...command, shell, ...guards].join('\n')
}

/** Commands that say neither what they make nor what they provide: nobody can tell what they write. */
export function opaqueExecs({ catalog }: Proving): CatalogResource[] {
  return catalog.resources.filter(
    ({ type, footprint }) => type === 'exec' && !saysWhatItWrites(footprint),
  )
}

export function opaqueNotice({ ref, file, path }: CatalogResource, sources: Sources): Diagnostic {
  return {
    severity: 'notice',
    code: 'opaque-exec',
    message: `${ref} does not say what it writes: nothing about that is proven`,
    place: sources.place(file, path),
    help: 'where it makes files, name them in creates, or in provides: { files: [/path] }',
  }
}

function saysWhatItWrites({
  ensures = [],
  provides = [],
  writes = [],
}: CatalogResource['footprint']) {
  return ensures.length + provides.length + writes.length > 0
}
