import { describe, expect, test } from 'vitest'
import { parseSecrets, readSecrets } from '../../engine/load/secrets.ts'
import { fakeHost } from '../support/fake-host.ts'

const path = '/etc/zulip/zulip-secrets.conf'

describe('readSecrets', () => {
  test('gives the [secrets] section alone', () => {
    const host = fakeHost({ files: { [path]: '[secrets]\nCamo_Key = s3=cret\n[other]\nx = 1\n' } })
    const read = readSecrets(host, path)
    expect('secrets' in read && [...read.secrets]).toEqual([
      ['camo_key', { value: 's3=cret', place: { file: path, line: 2, column: 12 } }],
    ])
  })

  test.each([
    ['without the file', {}],
    ['without the section', { [path]: '[other]\n' }],
  ])('is empty %s', (_title, files) => {
    expect(readSecrets(fakeHost({ files }), path)).toEqual({ secrets: new Map() })
  })

  test('refuses what is no UTF-8, at the byte', () => {
    const bytes = Buffer.concat([Buffer.from('[secrets]\nk = ä€'), Buffer.from([0xff])])
    const host = fakeHost({ files: { [path]: bytes } })
    expect(readSecrets(host, path)).toMatchObject({
      diagnostics: [
        { code: 'secrets-syntax', place: { line: 2, column: 7 }, found: 'the byte 0xff' },
      ],
    })
  })
})

describe('parseSecrets', () => {
  test.each([
    'hunter2\n',
    '[secrets]\nhunter2\n',
    '[secrets]\n= hunter2\n',
    '[secrets]\nk = hunter2\nk = hunter2\n',
    '[secrets]\n[hunter]\nk = hunter2\n[secrets]\n',
  ])('tells the mistake in %j without the secret', (text) => {
    const parsed = parseSecrets(text, 'secrets.conf')
    expect(parsed).toMatchObject({ diagnostics: [{ code: 'secrets-syntax' }] })
    expect(JSON.stringify(parsed)).not.toContain('hunter2')
  })
})
