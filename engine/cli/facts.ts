import { resolve } from 'node:path'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { factsFromFile } from '../facts/file.ts'
import { readFacts } from '../facts/index.ts'
import { localHost } from '../host/local.ts'
import { renderFacts } from '../ui/facts-text.ts'
import { jsonText } from '../ui/json.ts'
import { paths } from '../zulip/paths.ts'
import type { CommonFlags } from './options.ts'
import { outputColumns, paintOf, print, showDiagnostics } from './output.ts'

type FactsFlags = Pick<CommonFlags, 'root' | 'facts' | 'json'>

/** `steward facts`: 1 when a fact of the site could not be had; the others are shown all the same. */
export async function run(flags: FactsFlags): Promise<number> {
  const host = localHost({ root: resolve(flags.root ?? '/') })
  const { facts: own, diagnostics } = await readFacts(host, {
    machine: localHost(),
    siteFolder: paths.siteFacts,
  })
  const given =
    flags.facts === undefined ? { facts: own } : await factsFromFile(resolve(flags.facts), own)
  if ('diagnostics' in given) throw new Refusal(given.diagnostics)
  // Not among the JSON: what is printed can be read back with --facts.
  showDiagnostics(diagnostics)
  print(
    flags.json
      ? jsonText(given.facts)
      : renderFacts(given.facts, {
          paint: paintOf(process.stdout),
          width: outputColumns(),
        }),
  )
  return diagnostics.some(({ severity }) => severity === 'error') ? 1 : 0
}
