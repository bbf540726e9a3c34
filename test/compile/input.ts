import type { CompileInput } from '../../engine/compile/compile.ts'
import { factFields } from '../../engine/compile/fact-fields.ts'
import { parseConf } from '../../engine/load/conf.ts'
import { secretMaker } from '../../engine/load/generated-secrets.ts'
import { Library, siteFolder } from '../../engine/load/library.ts'
import { parseSite } from '../../engine/load/site.ts'
import { Sources } from '../../engine/load/sources.ts'
import { types } from '../../engine/resources/index.ts'
import { exampleFacts } from '../facts/example.ts'

/** Where values come from in a test; all of it may be left out. */
export interface Given {
  /** The text of zulip.conf. */
  readonly conf?: string
  readonly secrets?: Readonly<Record<string, string>>
  /** The text of the site file. */
  readonly site?: string
  /** Facts that differ from those of the example. */
  readonly facts?: Readonly<Record<string, unknown>>
  /** `--with`. */
  readonly with?: Readonly<Record<string, string>>
  /** `main` when absent. */
  readonly classes?: readonly string[]
  readonly withSources?: boolean
}

/** What `compile` takes for a folder of manifests; places are relative to that folder. */
export async function compileInput(folder: string, given: Given = {}): Promise<CompileInput> {
  const conf = parseConf(given.conf ?? '', '/etc/zulip/zulip.conf')
  if (!('conf' in conf)) throw new Error('the zulip.conf of this test is wrong')
  const site = await parseSite(given.site ?? '{}', '/etc/steward/site.yaml')
  if (!('site' in site)) throw new Error('the site file of this test is wrong')
  return {
    classes: (given.classes ?? ['main']).map((name) => ({ name })),
    library: new Library({
      folders: [siteFolder(folder)],
      types: types.keys(),
      sources: new Sources(folder),
    }),
    types,
    data: {
      conf: conf.conf,
      secrets: new Map(Object.entries(given.secrets ?? {})),
      site: site.site.parameters,
      facts: { ...exampleFacts, ...given.facts } as unknown as CompileInput['data']['facts'],
      factFields,
      makeSecret: secretMaker(),
      options: given.with ?? {},
    },
    withSources: given.withSources ?? false,
  }
}
