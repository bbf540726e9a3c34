import { describe, expect, test } from 'vitest'
import { parseSite, readSite } from '../../engine/load/site.ts'
import { type FakeFile, fakeHost } from '../support/fake-host.ts'

const path = '/etc/steward/site.yaml'
const text = `local_edits: keep
parameters:
  ::zulip::profile::memcached:
    memory_mb: 512
    note: \${{ facts }}
`

describe('readSite', () => {
  test('gives parameters by class with their places, and settings', async () => {
    const read = await readSite(fakeHost({ files: { [path]: text } }), path)
    const site = 'site' in read ? read.site : undefined
    const values = site?.parameters.get('zulip::profile::memcached')
    expect(site?.settings).toEqual({ localEdits: 'keep' })
    expect(values?.get('memory_mb')).toMatchObject({
      value: 512,
      place: { file: path, line: 4, column: 16 },
    })
    expect(values?.get('note')?.value).toBe('${{ facts }}')
  })

  test('is empty without the file', async () => {
    expect(await readSite(fakeHost(), path)).toEqual({
      site: { parameters: new Map(), settings: {} },
    })
  })

  test.each<[string, Record<string, FakeFile>]>([
    ['the file', { [path]: { content: text, mode: 0o666 } }],
    ['the file, by a group', { [path]: { content: text, mode: 0o664, gid: 5555 } }],
    ['the file, which is another’s', { [path]: { content: text, uid: 5555 } }],
    ['its folder', { '/etc/steward': { kind: 'directory', mode: 0o777 }, [path]: text }],
    ['a folder above', { '/etc': { kind: 'directory', uid: 5555 }, [path]: text }],
    [
      'what a link leads to',
      { [path]: { target: '/srv/site.yaml' }, '/srv/site.yaml': { content: text, uid: 5555 } },
    ],
    [
      'a folder that a link passes',
      {
        '/srv': { kind: 'directory', mode: 0o777 },
        '/srv/l': { target: '/opt' },
        '/opt/site.yaml': text,
        [path]: { target: '/srv/l/site.yaml' },
      },
    ],
  ])('refuses what others can write: %s', async (_title, files) => {
    expect(await readSite(fakeHost({ files }), path)).toMatchObject({
      diagnostics: [{ code: 'site-file' }],
    })
  })

  test.each<[string, Record<string, FakeFile>, string]>([
    [
      'in a sticky folder of root',
      { '/tmp': { kind: 'directory', mode: 0o1777 }, '/tmp/s.yaml': text },
      '/tmp/s.yaml',
    ],
    ['that root’s own group may write', { [path]: { content: text, mode: 0o664 } }, path],
    [
      'behind a link of root',
      { [path]: { target: '../../opt/s.yaml' }, '/opt/s.yaml': text },
      path,
    ],
  ])('takes a file %s', async (_title, files, at) => {
    expect(await readSite(fakeHost({ files }), at)).toHaveProperty('site')
  })
})

describe('parseSite', () => {
  test('tells every mistake of form at its place', async () => {
    const parsed = await parseSite(
      'parametres: {}\nlocal_edits: mirge\nparameters:\n  zulip::a: [1]\n  zulip::b:\n',
      'site.yaml',
    )
    expect('diagnostics' in parsed && parsed.diagnostics).toMatchObject([
      { code: 'site-file', place: { line: 1, column: 1 }, help: 'did you mean "parameters"?' },
      { code: 'site-file', place: { line: 4, column: 13 } },
      { code: 'site-file', place: { line: 2, column: 14 }, help: 'did you mean "merge"?' },
    ])
  })

  test.each(['', '# nothing\n', 'parameters:\n'])('takes %j as empty', async (empty) => {
    expect(await parseSite(empty, 'site.yaml')).toEqual({
      site: { parameters: new Map(), settings: {} },
    })
  })

  test('tells what is no YAML', async () => {
    expect(await parseSite('a: [', 'site.yaml')).toMatchObject({
      diagnostics: [{ code: 'yaml-syntax' }],
    })
  })
})
