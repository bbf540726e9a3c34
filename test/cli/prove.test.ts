import { expect, test } from 'vitest'
import { folderWith, steward } from './steward.ts'

const site = (main: string) => folderWith({ 'site/main.yaml': `class: main\nresources:\n${main}` })
const sound = `  - file: /srv/x
    content: x
  - exec: opaque
    command: [make-something]
`
const wrong = `${sound}  - exec: fill
    command: [fill, /srv/x]
    creates: /srv/full
`

test('what is sound ends with 0, and says which commands it can tell nothing of', () => {
  expect(steward(site(sound), 'prove', '--manifests', 'site', 'main')).toEqual({
    status: 0,
    stdout: `main: 2 resources, 0 claims of order: nothing found.
Not proven: 1 command does not say what it writes:
  exec[opaque]
Where they make files, name them in creates, or in provides: { files: [/path] }.
`,
    stderr: '',
  })
})

test('a finding is told with its place, and ends with 1', () => {
  const { status, stdout, stderr } = steward(site(wrong), 'prove', '--manifests', 'site', 'main')
  expect(status).toBe(1)
  expect(stdout).toContain('main: 3 resources, 1 claim of order: 1 finding.\n')
  expect(stderr).toMatch(
    /^site\/main\.yaml:7:5: error: exec\[fill\] names \/srv\/x, .*\[unmet-need\]/,
  )
})

test('each finding is a line of JSON, and each command that is not proven a notice', () => {
  const { status, stdout } = steward(site(wrong), 'prove', '--manifests', 'site', 'main', '--json')
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(status).toBe(1)
  expect(lines).toMatchObject([
    { type: 'diagnostic', severity: 'error', code: 'unmet-need' },
    { type: 'diagnostic', severity: 'notice', code: 'opaque-exec' },
  ])
})

test.each([
  ['a class', ['main']],
  ['a folder', []],
])('validate --strict proves %s too', (_title, named) => {
  const cwd = site(wrong)
  const flags = ['--manifests', 'site', ...named]
  expect(steward(cwd, 'validate', ...flags).status).toBe(0)
  const { status, stderr } = steward(cwd, 'validate', '--strict', ...flags)
  expect(status).toBe(1)
  expect(stderr).toContain('[unmet-need]')
  expect(stderr).toContain('notice: exec[opaque] does not say what it writes')
})
