import { expect, test } from 'vitest'
import { readPostgresqlClusters } from '../../engine/facts/postgresql.ts'
import { fakeHost } from '../support/fake-host.ts'

const conf = (cluster: string) => ({ [`/etc/postgresql/${cluster}/postgresql.conf`]: '' })

test("the versions with a cluster of Zulip's name, in the order of numbers", () => {
  const files = { ...conf('17/main'), ...conf('9.6/main'), ...conf('14/main'), ...conf('16/other') }
  const host = fakeHost({ files: { ...files, '/etc/postgresql/old/main/x': '' } })
  expect(readPostgresqlClusters(host)).toEqual(['9.6', '14', '17'])
})

test('none where PostgreSQL never was', () => {
  expect(readPostgresqlClusters(fakeHost({}))).toEqual([])
})
