import { expect, test } from 'vitest'
import { folderWith, steward } from './steward.ts'

test.each([
  [['aply'], 'unknown command "aply" [usage]; did you mean "apply"?'],
  [['apply', '--dryrun'], 'unknown option "--dryrun" [usage]; did you mean "--dry-run"?'],
  [
    ['conf', 'get'],
    'missing required argument "section.key" [usage]; see: steward conf get --help',
  ],
  [
    ['facts', 'os'],
    'too many arguments for "facts". Expected 0 arguments but got 1: os [usage]; see: steward facts --help',
  ],
])('a mistake in the arguments reads like every other one: %j', (args, text) => {
  expect(steward(folderWith(), ...args)).toEqual({
    status: 1,
    stdout: '',
    stderr: `error: ${text}\n`,
  })
})

test('a mistake in the arguments is a line of JSON where JSON is asked for', () => {
  const { status, stdout, stderr } = steward(folderWith(), 'facts', 'os', '--json')
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ code: 'usage', help: 'see: steward facts --help' })
})
