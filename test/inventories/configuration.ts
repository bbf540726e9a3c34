import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Catalog } from '../../engine/compile/catalog.ts'
import { type CompileInput, compile } from '../../engine/compile/compile.ts'
import { factFields } from '../../engine/compile/fact-fields.ts'
import type { Diagnostic } from '../../engine/diagnostics/diagnostic.ts'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { factsFromText } from '../../engine/facts/file.ts'
import { openLibrary } from '../../engine/index.ts'
import { classList } from '../../engine/load/class-list.ts'
import { parseConf } from '../../engine/load/conf.ts'
import { secretMaker } from '../../engine/load/generated-secrets.ts'
import type { Library } from '../../engine/load/library.ts'
import { parseSecrets } from '../../engine/load/secrets.ts'
import { types } from '../../engine/resources/index.ts'
import { exampleFacts } from '../facts/example.ts'

/** What a server is told: zulip.conf, secrets and facts of `configurations/NAME`. */
export interface Configuration {
  readonly name: string
  /** As zulip.conf lists them. */
  readonly classes: readonly string[]
  readonly data: CompileInput['data']
}

/** What our manifests make of a configuration. */
export interface Outcome {
  readonly catalog: Catalog | undefined
  /** Why there is no catalog, or what the classes say that they do not hold yet. */
  readonly lacks: readonly string[]
}

/** The shipped manifests, parsed once for all configurations. */
export const library: Library = openLibrary({
  manifests: [],
  state: '/nonexistent',
  mayKeep: false,
})

/** Reads `configurations/NAME`. Facts that it leaves out are those of the example, never of this machine. */
export async function readConfiguration(name: string): Promise<Configuration> {
  const folder = join(import.meta.dirname, 'configurations', name)
  const text = (file: string) => readFileSync(join(folder, file), 'utf8')
  const conf = parseConf(text('zulip.conf'), join(folder, 'zulip.conf'))
  const secrets = parseSecrets(text('zulip-secrets.conf'), join(folder, 'zulip-secrets.conf'))
  const facts = await factsFromText(text('facts.json'), join(folder, 'facts.json'), exampleFacts)
  if ('diagnostics' in conf) throw refused(name, conf.diagnostics)
  if ('diagnostics' in secrets) throw refused(name, secrets.diagnostics)
  if ('diagnostics' in facts) throw refused(name, facts.diagnostics)
  const entry = conf.conf.get('machine', 'puppet_classes')
  const list = entry && classList(entry)
  if (!list || 'diagnostics' in list) throw refused(name, list?.diagnostics ?? [])
  return {
    name,
    classes: list.classes.map(({ name }) => name),
    data: {
      conf: conf.conf,
      secrets: new Map([...secrets.secrets].map(([key, { value }]) => [key, value])),
      site: new Map(),
      facts: facts.facts as unknown as CompileInput['data']['facts'],
      factFields,
      makeSecret: secretMaker(),
      options: {},
    },
  }
}

/** The catalog of a configuration, by the same compile as `steward apply`. */
export function outcomeOf(configuration: Configuration): Outcome {
  return compileClasses(configuration, configuration.classes)
}

/**
 * The catalog of those of some classes that compile by now: what a configuration that still waits has already.
 * undefined where none does.
 */
export function catalogInPart(
  configuration: Configuration,
  wanted: readonly string[],
): Catalog | undefined {
  const known = wanted.filter((name) => library.find(name) !== undefined)
  const good = known.filter((name) => compileClasses(configuration, [name]).catalog)
  return good.length === 0 ? undefined : compileClasses(configuration, good).catalog
}

function compileClasses({ data }: Configuration, classes: readonly string[]): Outcome {
  const { catalog, diagnostics } = compile({
    classes: classes.map((name) => ({ name })),
    library,
    types,
    data,
  })
  const lacks = diagnostics.filter(({ severity }) => severity === 'error')
  return { catalog, lacks: [...lacks, ...(catalog?.notices ?? [])].map(({ message }) => message) }
}

function refused(name: string, diagnostics: readonly Diagnostic[]): Error {
  const told = diagnostics.map((each) => renderDiagnostic(each)).join('\n')
  return new Error(`the configuration ${name} can't be read: ${told}`)
}
