/**
 * How close our catalogs are to the real ones, for those who write manifests:
 *
 *     bin/node test/inventories/report.ts                   one line a configuration
 *     bin/node test/inventories/report.ts NAME…             all of these configurations; `*` is any text
 *     bin/node test/inventories/report.ts --missing [NAME…] what is open in any of them, by class (9x and 10)
 *     bin/node test/inventories/report.ts --rules           what each rule names and whether its number is right
 *
 * With `--covered` the first two also tell what the rules of differences.yaml cover.
 */
import { parseArgs } from 'node:util'
import { readDifferences } from './differences.ts'
import { configurationsLike, inventoryOf, resourcesNamed } from './inventories.ts'
import { coveredTable, missingTable, rulesTable, summaryTable, wholeText } from './table.ts'

/** The text of a report for these arguments. */
export async function report(args: readonly string[]): Promise<string> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      missing: { type: 'boolean', default: false },
      rules: { type: 'boolean', default: false },
      covered: { type: 'boolean', default: false },
    },
  })
  const differences = readDifferences()
  if (values.rules) return rulesTable(differences, resourcesNamed(differences))
  const everything = values.missing ? ['9x-*', '10-*'] : ['*']
  const named = configurationsLike(positionals.length > 0 ? positionals : everything)
  if (named.length === 0) throw new Error(`no configuration is named ${positionals.join(', ')}`)
  const inventories = await Promise.all(named.map((name) => inventoryOf(name, differences)))
  const covered = values.covered
    ? inventories.map(({ comparison }) => coveredTable(comparison))
    : []
  if (values.missing) return missingTable(inventories)
  if (positionals.length === 0) return [summaryTable(inventories), ...covered].join('\n\n')
  return [...inventories.map(wholeText), ...covered].join('\n\n')
}

if (import.meta.main) console.log(await report(process.argv.slice(2)))
