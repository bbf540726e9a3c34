import { compileCatalog, load } from '../index.ts'
import { opaqueNotice } from '../prove/execs.ts'
import { prove } from '../prove/prove.ts'
import { renderProof } from '../ui/proof-text.ts'
import { withExample } from './example.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { note, print, showDiagnostics } from './output.ts'

/** `steward prove`: 1 when something can go wrong in an order that the catalog allows. */
export async function run(flags: CommonFlags, classes: readonly string[]): Promise<number> {
  const { options, told } = withExample(roadOptions(flags, classes, false))
  if (told !== undefined && !flags.json) note(told)
  const loaded = await load(options)
  const { catalog, notices } = compileCatalog(loaded)
  const { findings, opaque, claims } = prove(catalog, loaded.library.sources)
  const { sources } = loaded.library
  // For people they are one list at the end.
  const notProven = flags.json ? opaque.map((exec) => opaqueNotice(exec, sources)) : []
  showDiagnostics([...loaded.notices, ...notices, ...findings, ...notProven], { json: flags.json })
  if (!flags.json) {
    print(
      renderProof({
        classes: catalog.classes,
        resources: catalog.resources.length,
        claims,
        findings: findings.length,
        dropped: catalog.dropped.length,
        opaque: opaque.map(({ ref }) => ref),
      }),
    )
  }
  return findings.length > 0 ? 1 : 0
}
