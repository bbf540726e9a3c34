import { expect, test } from 'vitest'
import { readConf } from '../../engine/load/read-conf.ts'
import { fakeHost } from '../support/fake-host.ts'

const path = '/etc/zulip/zulip.conf'

test('a missing zulip.conf is an empty one', () => {
  const read = readConf(fakeHost(), path)
  expect(read).toMatchObject({ exists: false, conf: { file: path } })
  expect('conf' in read && read.conf.sections()).toEqual([])
})

test('links to zulip.conf are followed, and mistakes name the file as asked for', () => {
  const host = fakeHost({
    files: { '/etc/zulip': { target: '/data/etc' }, '/data/etc/zulip.conf': '[a]\nb\n' },
  })
  expect(readConf(host, path)).toMatchObject({
    diagnostics: [{ code: 'conf-syntax', place: { file: path, line: 2 } }],
  })
})

test('a file that is a directory is refused', () => {
  const host = fakeHost({ files: { [path]: { kind: 'directory' } } })
  expect(readConf(host, path)).toMatchObject({ diagnostics: [{ code: 'conf-syntax' }] })
})

test('a loop of links is refused', () => {
  const host = fakeHost({ files: { [path]: { target: path } } })
  expect(readConf(host, path)).toMatchObject({ diagnostics: [{ code: 'conf-syntax' }] })
})
