import type { Catalog, CatalogResource } from '../../engine/compile/catalog.ts'
import { type Compiled, type CompileInput, compile } from '../../engine/compile/compile.ts'
import { factFields } from '../../engine/compile/fact-fields.ts'
import type { Place } from '../../engine/diagnostics/diagnostic.ts'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import type { Facts } from '../../engine/facts/schema.ts'
import { openLibrary } from '../../engine/index.ts'
import { parseConf } from '../../engine/load/conf.ts'
import { secretMaker } from '../../engine/load/generated-secrets.ts'
import type { Library } from '../../engine/load/library.ts'
import type { SiteValue } from '../../engine/load/site.ts'
import { types } from '../../engine/resources/index.ts'
import { exampleFacts } from '../facts/example.ts'

/** What a case changes in a plain server; the example's secrets are both there. */
export interface Case {
  readonly conf?: string
  readonly secrets?: Readonly<Record<string, string>>
  readonly facts?: Partial<Facts>
  /** Parameters of the site file, by class. */
  readonly site?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly classes?: readonly string[]
  /** The shipped manifests when absent. */
  readonly library?: Library
}

export const passwords = { memcached_password: 'of-memcached', redis_password: 'of-"redis"' }

const shipped = openLibrary({ manifests: [], state: '/nonexistent', mayKeep: false })

/** What the shipped manifests make of a case. */
export function result({
  conf = '',
  secrets = passwords,
  facts = {},
  site = {},
  classes = ['zulip::profile::memcached', 'zulip::profile::redis', 'zulip::nginx'],
  library = shipped,
}: Case): Compiled {
  const parsed = parseConf(conf, '/etc/zulip/zulip.conf')
  if (!('conf' in parsed)) throw new Error('the conf of this case is wrong')
  const data: CompileInput['data'] = {
    conf: parsed.conf,
    secrets: new Map(Object.entries(secrets)),
    site: new Map(Object.entries(site).map(([name, given]) => [name, siteValues(given)])),
    facts: { ...exampleFacts, ...facts } as unknown as CompileInput['data']['facts'],
    factFields,
    makeSecret: secretMaker(),
    options: {},
  }
  return compile({ classes: classes.map((name) => ({ name })), library, types, data })
}

function siteValues(given: Readonly<Record<string, unknown>>): Map<string, SiteValue> {
  const place: Place = { file: '/etc/steward/site.yaml', line: 1, column: 1, length: 1, text: '' }
  return new Map(Object.entries(given).map(([name, value]) => [name, { value, place }]))
}

export function catalogOf(options: Case = {}): Catalog {
  const { catalog, diagnostics } = result(options)
  if (!catalog) throw new Error(diagnostics.map((each) => renderDiagnostic(each)).join('\n'))
  return catalog
}

export const find = (catalog: Catalog, ref: string): CatalogResource | undefined =>
  catalog.resources.find((each) => each.ref === ref)

export const desired = (catalog: Catalog, ref: string): Record<string, unknown> =>
  find(catalog, ref)?.desired as Record<string, unknown>

/** What a file is to hold. */
export const content = (catalog: Catalog, path: string): string =>
  String(desired(catalog, `file[${path}]`).content)
