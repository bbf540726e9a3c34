import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Catalog } from '../../engine/compile/catalog.ts'
import { compile } from '../../engine/compile/compile.ts'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { localHost } from '../../engine/host/local.ts'
import { parseSecrets } from '../../engine/load/secrets.ts'
import { plan } from '../../engine/plan.ts'
import { probe } from '../../engine/probe.ts'
import { SECRET } from '../../engine/redactor.ts'
import { types } from '../../engine/resources/index.ts'
import { renderPlan } from '../../engine/ui/plan-text.ts'
import { compileInput, type Given } from '../compile/input.ts'
import { edgesOf, temporaryFolder } from '../compile/road.ts'

/**
 * Whole runs as data: each folder is a case, and its name says what is true. It holds `manifests/` with
 * the class `main`, and what else the case needs of `zulip.conf`, `zulip-secrets.conf`, `site.yaml`,
 * `given.json` (the rest of `Given`) and `host/` (the tree that is managed, with /etc, /opt and /srv in
 * any case). Expected is `diagnostics.txt` alone, or `catalog.txt` and `plan.txt`, which `vitest
 * --update` writes anew: read what it wrote.
 */
const cases = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort()

describe('scenarios', () => {
  test.each(cases.map((name) => [name.replaceAll('-', ' '), name]))('%s', async (_title, name) => {
    const folder = join(import.meta.dirname, name)
    const text = (file: string) =>
      existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : undefined
    const secrets = parseSecrets(text('zulip-secrets.conf') ?? '', 'zulip-secrets.conf')
    if (!('secrets' in secrets)) throw new Error('the secrets of this case are wrong')
    const given: Given = {
      ...(JSON.parse(text('given.json') ?? '{}') as Given),
      conf: text('zulip.conf') ?? '',
      site: text('site.yaml') ?? '{}',
      secrets: Object.fromEntries([...secrets.secrets].map(([key, { value }]) => [key, value])),
    }
    const input = await compileInput(join(folder, 'manifests'), given)
    const { catalog, diagnostics } = compile(input)
    const told = diagnostics.map((each) => `${renderDiagnostic(each)}\n`).join('\n')
    if (told !== '' || existsSync(join(folder, 'diagnostics.txt')))
      await expect(told).toMatchFileSnapshot(join(folder, 'diagnostics.txt'))
    expect(existsSync(join(folder, 'catalog.txt')) && !catalog, told).toBe(false)
    if (!catalog) return
    await expect(catalogText(catalog).replaceAll(folder, '.')).toMatchFileSnapshot(
      join(folder, 'catalog.txt'),
    )

    const root = temporaryFolder()
    for (const usual of ['etc', 'opt', 'srv']) mkdirSync(join(root, usual))
    if (existsSync(join(folder, 'host'))) cpSync(join(folder, 'host'), root, { recursive: true })
    const host = localHost({ root })
    // As in the first run on a host.
    const files = { recorded: () => undefined }
    const states = await probe({ catalog, types, host, files })
    const planned = plan({ catalog, states, types, cannotRun: host.cannotRun })
    const planText = renderPlan(planned, {
      paint: (_tone, shown) => shown,
      width: 100,
      showDiff: true,
      verbose: true,
    })
    await expect(`${planText}\n`).toMatchFileSnapshot(join(folder, 'plan.txt'))
  })
})

/** Resources in their order with their attributes, then every edge, then those that gave way. */
function catalogText(catalog: Catalog): string {
  const resources = catalog.order.flatMap((index) => {
    const resource = catalog.resources[index] as Catalog['resources'][number]
    const isSecret = (key: string) => resource.sensitive.has('*') || resource.sensitive.has(key)
    const marks = [
      ...(resource.id === undefined ? [] : [`id ${resource.id}`]),
      ...resource.tags.map((tag) => `tag ${tag}`),
      ...(resource.noop ? ['noop'] : []),
      `in ${resource.containers.join(', ')}`,
    ]
    return [
      `${resource.ref} (${marks.join('; ')})`,
      ...Object.entries(resource.desired).map(
        ([key, value]) => `  ${key}: ${isSecret(key) ? SECRET : JSON.stringify(value)}`,
      ),
    ]
  })
  const dropped = edgesOf({ ...catalog, edges: catalog.dropped })
  return [
    ...resources,
    '',
    ...edgesOf(catalog),
    ...dropped.map((edge) => `gave way: ${edge}`),
    '',
  ].join('\n')
}
