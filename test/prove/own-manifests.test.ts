import { describe, expect, test } from 'vitest'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { prove } from '../../engine/prove/prove.ts'
import { exampleFacts } from '../facts/example.ts'
import { type Case, catalogOf } from '../manifests/catalog.ts'
import { conf, library, names, nine, secrets, systems, ten } from '../manifests/every-class.ts'

describe.each(names)('%s', (name) => {
  test.each([
    ['debian', ten],
    ['jammy', nine],
  ] as const)('can go wrong in no order on %s for Zulip $version', (system, release) => {
    const facts = { os: { ...exampleFacts.os, ...systems[system] }, release } as Case['facts']
    const catalog = catalogOf({ conf, secrets, classes: [name], ...(facts && { facts }) })
    const { findings } = prove(catalog, library.sources)
    expect(findings.map((each) => renderDiagnostic(each))).toEqual([])
  })
})
