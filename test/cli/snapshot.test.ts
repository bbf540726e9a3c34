import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../compile/road.ts'

const project = resolve(import.meta.dirname, '../..')

/** The secrets that a first run on an empty tree makes, by the program as it is built. */
function secretsOf(root: string): Map<string, string> {
  mkdirSync(join(root, 'etc/zulip'), { recursive: true })
  writeFileSync(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID="12"\nNAME="Debian"\n')
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nzulip:x:0:0::/:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nzulip:x:0:\n')
  const classes = ['zulip::secrets', 'zulip::local_secrets']
  execFileSync(join(project, 'bin/steward'), ['apply', '--yes', '--root', root, ...classes], {
    stdio: 'pipe',
  })
  const lines = readFileSync(join(root, 'etc/zulip/zulip-secrets.conf'), 'utf8').split('\n')
  return new Map(
    lines.flatMap((line) => {
      const [, name = '', value = ''] = /^(\w+) = (.+)$/.exec(line) ?? []
      return name === '' ? [] : [[name, value] as const]
    }),
  )
}

// A snapshot keeps what Node has in its memory, random bytes that were not used yet among it.
test.skipIf(process.getuid?.() !== 0)(
  'two hosts that start from one snapshot make different secrets (skipped unless root: it sets owners)',
  () => {
    expect(existsSync(join(project, 'dist/steward.blob')), 'run npm ci first').toBe(true)
    const [one, other] = [secretsOf(temporaryFolder()), secretsOf(temporaryFolder())]
    expect(one.size).toBe(9)
    for (const [name, value] of one) expect(other.get(name), name).not.toBe(value)
  },
)

// It would be read at every start. V8 holds on to a text or two of which it took a name.
test('a snapshot does not hold what the run that prepared it has read', () => {
  const snapshot = readFileSync(join(project, 'dist/steward.blob'))
  const summaries = globSync('manifests/**/*.yaml', { cwd: project }).flatMap((file) => {
    const text = readFileSync(join(project, file), 'utf8')
    return /^summary: (.+)$/m.exec(text)?.[1] ?? []
  })
  expect(summaries.length).toBeGreaterThan(50)
  expect(summaries.filter((summary) => snapshot.includes(summary)).length).toBeLessThan(5)
})

test('a snapshot holds what the run that prepared it has compiled', () => {
  const log = join(temporaryFolder(), 'v8.log')
  const blob = `--snapshot-blob=${join(project, 'dist/steward.blob')}`
  const logging = ['--log-function-events', `--logfile=${log}`, '--no-logfile-per-isolate']
  const command = [join(project, 'dist/steward.cjs'), '--version']
  execFileSync(join(project, 'bin/node'), [blob, ...logging, ...command])
  const compiled = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('function,full-parse,'))
    .map((line) => line.split(',').at(-1))
  // Of Node's own functions some are.
  expect(compiled.length).toBeGreaterThan(0)
  expect(compiled).not.toContain('parseAsync')
})
