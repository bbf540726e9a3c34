import { describe, expect, test } from 'vitest'
import { redactor } from '../engine/redactor.ts'
import { secretsIn } from './support/canary.ts'

const secret = `cAn'ary"Quo$te\`d\\7391&<x>/ %25`
const redact = redactor([secret, 'first line 7391\nsecond line 7391', 'abc'])
const bytes = Buffer.from(secret)

describe('a secret is taken out of a text', () => {
  test.each([
    ['as it is', secret],
    ['as JSON', JSON.stringify({ secret })],
    ['as JSON inside of JSON', JSON.stringify(JSON.stringify({ secret }))],
    ['in a URL', `https://u:${encodeURIComponent(secret)}@h/`],
    ['in hex', bytes.toString('hex')],
    ['in base64, wherever it begins', ['', 'x', 'xy'].map((a) => btoa(`${a}${secret}z`)).join(' ')],
    ['quoted for a shell', `'${secret.replaceAll("'", "'\\''")}'`],
    ['in HTML', 'cAn\'ary"Quo$te`d\\7391&amp;&lt;x&gt;/ %25'],
    ['by one of its lines', 'at the second line 7391 of the file'],
  ])('%s', (_title, text) => {
    const redacted = redact(`before ${text} after`)
    expect(redacted).toContain('(secret)')
    expect(redacted).toMatch(/^before .* after$/)
    expect(secretsIn(redacted, { secret })).toEqual([])
    expect(redacted).not.toContain('7391')
  })

  test('but where it is so short that it is found in anything', () => {
    expect(redact('abc of it')).toBe('abc of it')
  })
})
