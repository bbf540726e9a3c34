import { type Comparison, compare } from './compare.ts'
import {
  catalogInPart,
  library,
  type Outcome,
  outcomeOf,
  readConfiguration,
} from './configuration.ts'
import { type Differences, matches, names, withModernName } from './differences.ts'
import { configurationNames, type Row, refOf, rowsOf } from './row.ts'

/** A configuration, compared as far as our manifests go. */
export interface Inventory {
  readonly name: string
  /** The class that it waits for, as differences.yaml says; undefined where it must agree. */
  readonly waitsFor: string | undefined
  readonly outcome: Outcome
  /** For one that has no catalog: with that of those of its classes which compile. */
  readonly comparison: Comparison
}

/** The rows of a configuration, under today's names. */
export function modernRowsOf(name: string, { renamed }: Differences): readonly Row[] {
  const rows = rowsOf(name)
  if (!name.startsWith('2.0')) return rows
  // Two names of 2.0 may be one by now.
  return [
    ...new Map(
      rows.map((row) => withModernName(row, renamed)).map((row) => [refOf(row), row]),
    ).values(),
  ]
}

/** Compares the real catalog of a configuration with ours. */
export async function inventoryOf(name: string, differences: Differences): Promise<Inventory> {
  const rows = modernRowsOf(name, differences)
  const configuration = await readConfiguration(name)
  const outcome = outcomeOf(configuration)
  const classes = rows.filter(({ type }) => type === 'class').map(({ title }) => title)
  const catalog = outcome.catalog ?? catalogInPart(configuration, classes)
  return {
    name,
    waitsFor: differences.waiting[name],
    outcome,
    comparison: compare(name, rows, catalog, library, differences.rules),
  }
}

/** Names of configurations that one of the globs matches. */
export function configurationsLike(globs: readonly string[]): readonly string[] {
  return configurationNames.filter((name) => matches(globs, name))
}

/** How many resources of all real catalogs each rule names, by its id. */
export function resourcesNamed(differences: Differences): ReadonlyMap<string, number> {
  const found = new Map(differences.rules.map(({ id }) => [id, new Set<string>()]))
  for (const configuration of configurationNames) {
    for (const row of modernRowsOf(configuration, differences)) {
      for (const rule of differences.rules)
        if (names(rule, row, configuration)) found.get(rule.id)?.add(refOf(row))
    }
  }
  return new Map([...found].map(([id, refs]) => [id, refs.size]))
}
