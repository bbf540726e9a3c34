import type { CatalogResource } from '../compile/catalog.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { type Claim, finding, lineFor, nameOf, type Proving, wrongOrder } from './claim.ts'

/** Two resources that write one thing have an order, and neither takes back what the other does. */
export function* writes(proving: Proving): Generator<Claim | Diagnostic> {
  const { ensures, removes, provides, edits, writes } = proving.things
  const at = (index: number) => proving.catalog.resources[index] as CatalogResource
  for (const [thing, makers] of ensures) {
    for (const [nth, maker] of makers.entries()) {
      for (const other of makers.slice(nth + 1))
        yield* bothMake(proving, thing, at(maker), at(other))
      for (const remover of removes.get(thing) ?? [])
        if (remover !== maker) yield takenBack(proving, thing, at(maker), at(remover))
      for (const provider of provides.get(thing) ?? [])
        if (provider !== maker && !thing.startsWith('package:'))
          yield overBrought(proving, thing, at(provider), at(maker))
    }
    if (!thing.startsWith('path:')) continue
    const path = thing.slice(5)
    for (const maker of makers) {
      for (const editor of edits.get(path) ?? [])
        if (editor !== maker) yield editedLater(proving, path, at(maker), at(editor))
      for (const writer of [...(writes.get(path) ?? []), ...proving.things.fillers(path)])
        if (writer !== maker) yield eitherWay(proving, path, at(maker), at(writer))
    }
  }
  for (const [thing, removers] of removes) {
    for (const provider of provides.get(thing) ?? []) {
      for (const remover of removers) {
        if (provider === remover) continue
        // A file of a package may be taken away after it; a unit or an account would be missed.
        yield thing.startsWith('path:')
          ? overBrought(proving, thing, at(provider), at(remover))
          : takenBack(proving, thing, at(provider), at(remover))
      }
    }
  }
  for (const [path, writers] of writes) {
    for (const [nth, writer] of writers.entries()) {
      for (const other of writers.slice(nth + 1)) {
        const [one, two] = [at(writer), at(other)]
        if (isSame(one, two)) continue
        // Two of one type would each set it again in every run.
        yield one.type === two.type
          ? takenBack(proving, `path:${path}`, one, two)
          : eitherWay(proving, path, one, two)
      }
    }
  }
}

function* bothMake(
  proving: Proving,
  thing: string,
  one: CatalogResource,
  other: CatalogResource,
): Generator<Claim | Diagnostic> {
  if (one.footprint.isWhole && other.footprint.isWhole && !isSame(one, other))
    yield takenBack(proving, thing, one, other)
  else yield eitherWay(proving, nameOf(thing), one, other)
}

/** Two of one type that say the same word for word write the same. */
function isSame(one: CatalogResource, other: CatalogResource): boolean {
  return one.type === other.type && JSON.stringify(one.desired) === JSON.stringify(other.desired)
}

function takenBack(
  proving: Proving,
  thing: string,
  resource: CatalogResource,
  other: CatalogResource,
): Diagnostic {
  const isGone = other.footprint.removes?.some((each) => each === thing)
  return finding(proving, {
    code: 'taken-back',
    message: isGone
      ? `${resource.ref} brings ${nameOf(thing)}, and ${other.ref} removes it`
      : `${resource.ref} and ${other.ref} both decide all that is in ${nameOf(thing)}`,
    resource,
    other,
    found: `an order that goes wrong: ${resource.ref}, ${other.ref}, and in the next run again`,
    help: 'let one of the two go, or give them different paths',
  })
}

/** What a package brings and a manifest replaces or removes: the package comes first, or was put behind on purpose. */
function overBrought(
  proving: Proving,
  thing: string,
  provider: CatalogResource,
  maker: CatalogResource,
): Claim {
  return {
    anyOf: [[provider.index, maker.index]],
    unless: () => proving.order.isDecided(maker.index, provider.index),
    otherwise: () => {
      const gave = proving.catalog.dropped.some(
        ({ from, to }) => from === provider.index && to === maker.index,
      )
      return finding(proving, {
        code: gave ? 'dropped-edge' : 'unordered-writes',
        message: gave
          ? `${provider.ref} and ${maker.ref} both bring ${nameOf(thing)}: that the second comes later gave way to a circle in which nobody wrote the opposite`
          : `${provider.ref} brings ${nameOf(thing)} too, and nothing says that ${maker.ref} comes later`,
        resource: maker,
        other: provider,
        found: wrongOrder(proving, maker, provider),
        help: lineFor(proving, provider, maker),
      })
    },
  }
}

function editedLater(
  proving: Proving,
  path: string,
  maker: CatalogResource,
  editor: CatalogResource,
): Claim {
  return {
    anyOf: [[maker.index, editor.index]],
    otherwise: () =>
      finding(proving, {
        code: 'unordered-writes',
        message: `${editor.ref} keeps a part of ${path}, and nothing says that ${maker.ref}, which makes it, comes first`,
        resource: editor,
        other: maker,
        found: wrongOrder(proving, editor, maker),
        help: lineFor(proving, maker, editor),
      }),
  }
}

/** Which is first is up to the manifest, but it has to say so. */
function eitherWay(
  proving: Proving,
  name: string,
  one: CatalogResource,
  other: CatalogResource,
): Claim {
  return {
    anyOf: [
      [one.index, other.index],
      [other.index, one.index],
    ],
    otherwise: () =>
      finding(proving, {
        code: 'unordered-writes',
        message: `${one.ref} and ${other.ref} both write ${name}, and nothing says which comes first`,
        resource: other,
        other: one,
        found: `an order that goes wrong: ${other.ref}, then ${one.ref}; and the other way round in another run`,
        help: `${lineFor(proving, one, other)}; or the other way round`,
      }),
  }
}
