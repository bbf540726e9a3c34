import { describe, expect, test } from 'vitest'
import { type AptRepositoryDesired, aptRepository } from '../../engine/resources/apt-repository.ts'
import { ApplyError, type Resource, type Verdict } from '../../engine/resources/type.ts'
import {
  type FakeFile,
  type FakeHost,
  type FakeHostOptions,
  fakeHost,
} from '../support/fake-host.ts'

const usual = { uris: 'https://x.example/apt', suites: 'bookworm', components: 'main' } as const
const source = '/etc/apt/sources.list.d/x.sources'
const key = '/etc/apt/keyrings/x.asc'
const pref = '/etc/apt/preferences.d/x.pref'
const armoured =
  '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n'
const head = '# Kept by steward as apt_repository[x]: what is changed here is overwritten.\n'
const update = `apt-get --quiet --yes -o DPkg::Lock::Timeout=300 -o Dir::Etc::sourcelist=${source} -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any update`
const folders: Record<string, FakeFile> = Object.fromEntries(
  ['/etc/apt/sources.list.d', '/etc/apt/keyrings', '/etc/apt/preferences.d'].map((path) => [
    path,
    { kind: 'directory' as const },
  ]),
)

function declared(desired: AptRepositoryDesired, title = 'x'): Resource<AptRepositoryDesired> {
  return { ref: `apt_repository[${title}]`, type: 'apt_repository', title, desired }
}
function machine({ files = {}, ...more }: FakeHostOptions = {}): FakeHost {
  return fakeHost({ files: { ...folders, ...files }, commands: { [update]: 'Get:1 x\n' }, ...more })
}
async function plan(resource: Resource<AptRepositoryDesired>, host: FakeHost): Promise<Verdict> {
  const [current] = await aptRepository.probe([resource], host)
  if (current === undefined) throw new Error('the probe gave nothing')
  return aptRepository.diff(resource, current)
}
async function converge(desired: AptRepositoryDesired, host: FakeHost) {
  const resource = declared(desired)
  const verdict = await plan(resource, host)
  if (!('changes' in verdict)) throw new Error('blocked')
  const outcome = await aptRepository.apply(resource, verdict.changes ?? [], host)
  return { verdict, outcome, after: await plan(resource, host) }
}
const attributes = (verdict: Verdict) =>
  'changes' in verdict ? (verdict.changes ?? []).map(({ attribute }) => attribute) : []

describe('check', () => {
  test.each<[AptRepositoryDesired, string | undefined]>([
    [usual, undefined],
    [{ ensure: 'absent' }, undefined],
    [{ suites: 'x', components: 'main' }, 'apt_repository[x] has no uris'],
    [{ uris: 'file:/x' }, 'apt_repository[x] has no suites'],
    [{ uris: 'file:/x', suites: 'y' }, 'apt_repository[x] has no components'],
    [{ uris: 'file:/x', suites: './' }, undefined],
    [{ ...usual, suites: 'x/' }, 'apt_repository[x]: the suite x/ is a path and has no components'],
    [
      { ...usual, key: armoured, signed_by: '/k' },
      'apt_repository[x]: `key` and `signed_by` exclude each other',
    ],
    [{ ...usual, key: armoured.replaceAll('\n', '\r\n') }, undefined],
    [{ ...usual, key: 'mDME'.repeat(20) }, undefined],
    [{ ...usual, key: 'https://x.example/key.asc' }, 'apt_repository[x]: `key` is no public key'],
    [
      { ...usual, key: armoured.replaceAll('PUBLIC', 'PRIVATE') },
      'apt_repository[x]: `key` is no public key',
    ],
  ])('%j', (desired, message) => {
    expect(aptRepository.check?.(declared(desired))?.message).toBe(message)
  })
  test.each(['a b', 'a/b', '', 'ä'])('apt ignores a file of the name "%s"', (title) => {
    expect(aptRepository.check?.(declared(usual, title))?.message).toMatch(
      /would be ignored by apt/,
    )
  })
})

describe('footprint', () => {
  test('comes before packages, and needs the folders and the keyring that it uses', () => {
    expect(
      aptRepository.footprint(declared({ ...usual, signed_by: '/usr/share/k.gpg' })),
    ).toMatchObject({
      needs: ['path:/etc/apt/sources.list.d', 'path:/usr/share/k.gpg'],
      ensures: [`path:${source}`],
      isWhole: true,
      provides: ['path:/var/lib/apt/lists'],
    })
    const pin = { pin: 'origin x', priority: 1 }
    expect(aptRepository.footprint(declared({ ...usual, key: armoured, pin }))).toMatchObject({
      needs: [
        'path:/etc/apt/sources.list.d',
        'path:/etc/apt/keyrings',
        'path:/etc/apt/preferences.d',
      ],
      ensures: [`path:${key}`, `path:${pref}`, `path:${source}`],
      isWhole: true,
    })
  })
  test('a removed one comes before packages too', () => {
    expect(aptRepository.footprint(declared({ ensure: 'absent' }))).toEqual({
      removes: [`path:${key}`, `path:${pref}`, `path:${source}`],
      provides: ['path:/var/lib/apt/lists'],
    })
  })
})

describe('apply', () => {
  test('writes the source, fetches its lists, and leaves nothing to do', async () => {
    const host = machine()
    const { verdict, outcome, after } = await converge(usual, host)
    expect(attributes(verdict)).toEqual(['ensure', 'content'])
    expect(host.text(source)).toBe(
      `${head}Types: deb\nURIs: https://x.example/apt\nSuites: bookworm\nComponents: main\n`,
    )
    expect(host.runs).toEqual([update])
    expect(outcome).toEqual({ output: 'Get:1 x' })
    expect(after).toEqual({ changes: [] })
  })
  test('writes all that is declared', async () => {
    const host = machine()
    const { after } = await converge(
      {
        types: ['deb', 'deb-src'],
        uris: ['https://a.example', 'https://b.example'],
        suites: ['s', 't'],
        components: ['main', 'contrib'],
        architectures: ['amd64', 'arm64'],
        key: armoured.replaceAll('\n', '\r\n').trimEnd(),
        pin: [
          { pin: 'origin "a.example"', priority: 100 },
          { packages: ['p-*', 'q'], pin: 'release n=s', priority: -1 },
        ],
      },
      host,
    )
    expect(host.text(source)).toBe(
      `${head}Types: deb deb-src\nURIs: https://a.example https://b.example\nSuites: s t\nComponents: main contrib\nArchitectures: amd64 arm64\nSigned-By: ${key}\n`,
    )
    expect(host.text(key)).toBe(armoured)
    const explanation =
      'Explanation: Kept by steward as apt_repository[x]: what is changed here is overwritten.\n'
    expect(host.text(pref)).toBe(
      `${explanation}Package: *\nPin: origin "a.example"\nPin-Priority: 100\n\n${explanation}Package: p-* q\nPin: release n=s\nPin-Priority: -1\n`,
    )
    expect(after).toEqual({ changes: [] })
  })
  test('puts the source in place last, and takes it away first', async () => {
    const host = machine()
    await converge({ ...usual, key: armoured }, host)
    await converge({ ensure: 'absent' }, host)
    expect(host.writes.map(({ act, path }) => [act, path])).toEqual([
      ['writeFile', key],
      ['writeFile', source],
      ['remove', source],
      ['remove', key],
    ])
    expect(host.runs).toEqual([update])
  })
  test('puts lines around a key of base64', async () => {
    const host = machine()
    await converge({ ...usual, key: `${'A'.repeat(40)}\n${'B'.repeat(40)}` }, host)
    expect(host.text(key)).toBe(
      `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${'A'.repeat(40)}${'B'.repeat(24)}\n${'B'.repeat(16)}\n-----END PGP PUBLIC KEY BLOCK-----\n`,
    )
  })
  test('names what changes, and removes what is no longer asked for', async () => {
    const host = machine()
    await converge({ ...usual, key: armoured, pin: { pin: 'origin x', priority: 1 } }, host)
    const { verdict } = await converge({ ...usual, pin: { pin: 'origin x', priority: 2 } }, host)
    expect(attributes(verdict)).toEqual(['key', 'pin', 'content'])
    expect(host.stat(key)).toBeUndefined()
  })
  test('fetches nothing for one that is switched off, or in a root', async () => {
    const off = machine()
    await converge({ ...usual, enabled: false }, off)
    expect(off.text(source)).toMatch(/^Enabled: no$/m)
    const root = machine({ root: '/tree', cannotRun: 'not possible under --root' })
    expect((await converge(usual, root)).after).toEqual({ changes: [] })
    expect([...off.runs, ...root.runs]).toEqual([])
  })
  test('takes back what apt refuses, key and pins too', async () => {
    const stderr = 'E: The repository https://x.example/apt bookworm InRelease is not signed.\n'
    const host = machine({
      files: { [source]: 'Types: deb\n', [pref]: 'old\n' },
      commands: { [update]: { exitCode: 100, stderr } },
    })
    const error = await converge(
      { ...usual, key: armoured, pin: { pin: 'origin x', priority: 1 } },
      host,
    ).catch((e) => e)
    expect(error).toBeInstanceOf(ApplyError)
    expect(error.message).toBe(
      "apt_repository[x]: apt can't use it, so it was taken back: The repository https://x.example/apt bookworm InRelease is not signed.",
    )
    expect(error.ran).toMatchObject({ exit: 'exit code 100', output: stderr.trim() })
    expect(host.text(source)).toBe('Types: deb\n')
    expect(host.text(pref)).toBe('old\n')
    expect(host.stat(key)).toBeUndefined()
  })
  test('a folder in the way blocks it', async () => {
    const host = machine({ files: { [source]: { kind: 'directory' } } })
    expect(await plan(declared(usual), host)).toMatchObject({ blocked: `${source} is a directory` })
  })
})
