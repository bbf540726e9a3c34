import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localHost } from '../../engine/host/local.ts'
import { archive } from '../../engine/resources/archive.ts'
import { ApplyError, type Resource } from '../../engine/resources/type.ts'

type Desired = Parameters<typeof archive.footprint>[0]['desired']

const isRoot = process.geteuid?.() === 0
const host = localHost()
let folder: string
let tree: string
let source: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steward-archive-'))
  tree = join(folder, 'deployments/2026')
  source = join(folder, 'release.tar.gz')
  mkdirSync(join(folder, 'deployments'))
  chmodSync(folder, 0o755)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Packs what the script makes in an empty folder. */
function pack(script: string, ...options: string[]): void {
  const from = mkdtempSync(join(tmpdir(), 'steward-packed-'))
  try {
    execFileSync('sh', ['-ec', script], { cwd: from })
    execFileSync('tar', ['-C', from, '-cf', source, '--gzip', ...options, '.'])
  } finally {
    rmSync(from, { recursive: true, force: true })
  }
}
const release = `mkdir -p zulip-server-9/scripts; cd zulip-server-9
  echo 9 >version; printf '#!/bin/sh' >scripts/start; chmod 4775 scripts/start; ln -s ../version scripts/version`

function declared(more: Partial<Desired> = {}): Resource<Desired> {
  return { ref: 'archive[tree]', type: 'archive', title: tree, desired: { source, ...more } }
}
async function plan(resource = declared({ strip: 1 })) {
  const [current] = await archive.probe([resource], host)
  if (current === undefined) throw new Error('the probe gave nothing')
  return archive.diff(resource, current)
}
async function apply(resource = declared({ strip: 1 })): Promise<void> {
  const verdict = await plan(resource)
  if (!('changes' in verdict)) throw new Error(JSON.stringify(verdict))
  await archive.apply(resource, verdict.changes ?? [], host)
}
async function failure(resource?: Resource<Desired>): Promise<ApplyError> {
  const error = await apply(resource).catch((caught: unknown) => caught)
  if (!(error instanceof ApplyError)) throw new Error(`no ApplyError: ${String(error)}`)
  return error
}

test('the schema and the footprint: it comes after its source, and needs its owner', () => {
  expect(
    archive.footprint({
      ...declared({ owner: 'zulip' }),
      title: '/srv/a',
      desired: { source: '/root/a.tar', owner: 'zulip' },
    }),
  ).toEqual({
    needs: ['path:/srv', 'command:tar', 'user:zulip'],
    after: ['path:/root/a.tar'],
    ensures: ['path:/srv/a'],
    writes: ['/srv/a/**'],
  })
  expect(archive.check?.({ ...declared(), title: 'srv/a' })?.message).toContain('absolute')
})

describe.skipIf(!isRoot)(
  `as root${isRoot ? '' : ' (skipped: only root can give files away)'}`,
  () => {
    test('a plan reads it through and says what it holds', async () => {
      pack(release)
      expect(await plan()).toEqual({
        changes: [
          {
            attribute: 'ensure',
            from: 'absent',
            to: 'present',
            note: expect.stringMatching(/^from \/\S+\/release\.tar\.gz: 6 entries, \d+\.\d kB$/),
          },
        ],
      })
      expect(readdirSync(join(folder, 'deployments'))).toEqual([])
    })

    for (const program of ['gzip', 'bzip2', 'xz', 'zstd', 'cat']) {
      const isMissing = spawnSync(program, ['--version']).status !== 0
      test.skipIf(isMissing)(
        `what is packed by ${program} is unpacked by its owner, with plain modes, whatever it is called${isMissing ? ` (skipped: there is no ${program})` : ''}`,
        async () => {
          pack(release)
          const plain = execFileSync('gzip', ['-dc', source], { maxBuffer: 1e8 })
          const packed = execFileSync(program, program === 'cat' ? [] : ['-c'], { input: plain })
          writeFileSync(source, packed)
          chmodSync(source, 0o600)
          await apply(declared({ strip: 1, owner: 65534, group: 65534 }))
          expect(readFileSync(join(tree, 'scripts/version'), 'utf8')).toBe('9\n')
          const start = lstatSync(join(tree, 'scripts/start'))
          expect([start.mode & 0o7777, start.uid, start.gid]).toEqual([0o755, 65534, 65534])
          expect(lstatSync(tree).mode & 0o7777).toBe(0o755)
          expect(readdirSync(join(folder, 'deployments'))).toEqual(['2026'])
        },
      )
    }

    test('what became of the directory is its own business, and one that is empty is filled', async () => {
      pack(release)
      mkdirSync(tree)
      await apply()
      rmSync(join(tree, 'version'))
      rmSync(source)
      expect(await plan()).toEqual({ changes: [] })
    })

    test('what a run that was killed left beside it goes', async () => {
      pack(release)
      mkdirSync(join(folder, 'deployments/.steward-archive-2026/half'), { recursive: true })
      await apply()
      expect(readdirSync(join(folder, 'deployments'))).toEqual(['2026'])
    })

    test.each<[string, string, string[], RegExp]>([
      [
        'a link that leads out',
        `${release}; ln -s /etc/passwd users`,
        [],
        /the link users leads out of it/,
      ],
      ['a fifo', `${release}; mkfifo pipe`, [], /pipe is neither a file nor a folder nor a link/],
      ['two folders', `${release}; mkdir ../other`, [], /`strip` wants a single folder/],
      [
        'a device',
        `${release}; mknod null c 1 3`,
        [],
        /can't be unpacked: tar: .*null: Cannot mknod: Operation not permitted/,
      ],
    ])('%s is refused, and nothing stays', async (_, script, options, message) => {
      pack(script, ...options)
      const error = await failure(declared({ strip: 1, owner: 65534, group: 65534 }))
      expect(error.message).toMatch(message)
      expect(readdirSync(join(folder, 'deployments'))).toEqual([])
    })

    test('names that lead out do not leave the directory', async () => {
      pack(release, '--transform=s,^[.]/zulip-server-9/version,../../escaped,', '--absolute-names')
      await failure()
      expect(readdirSync(folder).toSorted()).toEqual(['deployments', 'release.tar.gz'])
    })

    test.each<[string, () => void, RegExp]>([
      ['is not there', () => undefined, /can't be read/],
      ['is empty', () => writeFileSync(source, ''), /is empty/],
      [
        'is no archive',
        () => writeFileSync(source, 'hello, this is no archive'.repeat(99)),
        /can't be unpacked: tar: This does not look like a tar archive/,
      ],
      [
        'is cut off',
        () => {
          pack(`${release}; head -c 100000 /dev/urandom >noise`)
          truncateSync(source, 50_000)
        },
        /can't be unpacked: .*unexpected end of file/,
      ],
    ])('a source that %s blocks it', async (_, make, message) => {
      make()
      expect(await plan()).toMatchObject({ blocked: expect.stringMatching(message) })
    })

    test('a file in its place blocks it', async () => {
      pack(release)
      writeFileSync(tree, '')
      expect(await plan()).toMatchObject({ blocked: 'archive[tree]: a file is in its place' })
    })
  },
)
