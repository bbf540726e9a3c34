import type { Catalog } from '../compile/catalog.ts'

/**
 * The references of all resources whose writes may hold a secret: those that are given one, and those that keep
 * another part of a file that holds one, now or as `recorded`.
 */
export function secretWriters(
  { resources }: Pick<Catalog, 'resources'>,
  recorded: ReadonlySet<string>,
): Set<string> {
  const holders = resources.filter(({ sensitive }) => sensitive.size > 0)
  const edited = holders.flatMap(({ footprint }) => footprint.edits ?? [])
  const paths = new Set([...recorded, ...edited.map(({ path }) => path)])
  const others = resources.filter(({ footprint }) =>
    footprint.edits?.some(({ path }) => paths.has(path)),
  )
  return new Set([...holders, ...others].map(({ ref }) => ref))
}

/** The references of all resources that keep only a part of a file. */
export function partWriters({ resources }: Pick<Catalog, 'resources'>): Set<string> {
  return new Set(resources.filter(({ footprint }) => footprint.edits).map(({ ref }) => ref))
}
