import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { editorSchema } from '../../engine/load/editor-schema.ts'
import { schemaCompiler } from '../../engine/load/schemas.ts'

const project = join(import.meta.dirname, '../..')
const check = schemaCompiler(new Map(), { strictTypes: false }).compile(editorSchema())
const shipped = globSync('manifests/zulip/**/*.yaml', { cwd: project }).sort()
const withResource = (resource: object) => ({ class: 'x', resources: [resource] })

describe('the schema for editors', () => {
  test.each(shipped)('takes %s', (file) => {
    expect(check(parse(readFileSync(join(project, file), 'utf8'))) || check.errors).toBe(true)
  })
  test.each([
    ['an attribute as an expression', { file: '/x', mode: '${{ m }}' }],
    ['several titles', { package: ['a', 'b'] }],
    [
      'metaparameters',
      { service: 'nginx', require: { file: '/x' }, when: 'facts.os.id == "debian"' },
    ],
    ['a type whose name is an attribute too', { group: 'zulip', gid: 7 }],
    ['the use of a define', { 'zulip::cron_job': 'x', schedule: '0 3 * * 0' }],
  ])('takes %s', (_title, resource) => {
    expect(check(withResource(resource)) || check.errors).toBe(true)
  })
  test.each([
    ['an attribute that its type has not', { file: '/x', ensrue: 'file' }],
    ['a type that is none', { fiel: '/x' }],
    ['a value of the wrong kind', { file: '/x', recurse: 'perhaps' }],
    ['a step among resources', { query: 'x', link: '/x' }],
  ])('refuses %s', (_title, resource) => {
    expect(check(withResource(resource))).toBe(false)
  })
  test('takes the steps of a procedure, blocks inside blocks too', () => {
    const steps = [
      { query: 'old', link: '/home/zulip/deployments/current' },
      { block: 'a', steps: [{ block: 'b', steps: [{ exec: 'x', command: ['true'] }] }] },
      { fail: 'no', when: 'query.old.exists' },
    ]
    expect(check({ class: 'x', steps }) || check.errors).toBe(true)
  })
})
