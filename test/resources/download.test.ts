import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { localHost } from '../../engine/host/local.ts'
import { download } from '../../engine/resources/download.ts'
import type { DownloadDesired } from '../../engine/resources/download-desired.ts'
import { ApplyError, type Resource } from '../../engine/resources/type.ts'

const program = Buffer.from('#!/bin/sh\necho camo\n')
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

let folder: string
let server: Server
let base: string
/** What the server gives, by path. */
const pages = new Map<string, Buffer | ((response: ServerResponse) => void)>()
const requests: string[] = []

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? ''
  requests.push(url)
  const page = pages.get(url.startsWith('http') ? new URL(url).pathname : url)
  if (page === undefined) response.writeHead(404).end()
  else if (typeof page === 'function') page(response)
  else response.end(page)
}

beforeAll(async () => {
  server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steward-download-'))
  pages.clear()
  requests.length = 0
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const own = { owner: process.geteuid?.() ?? 0, group: process.getegid?.() ?? 0, proxy: '' }

function declared(
  desired: DownloadDesired,
  title = join(folder, 'camo'),
): Resource<DownloadDesired> {
  return { ref: 'download[camo]', type: 'download', title, desired: { ...own, ...desired } }
}
/** A file that the server gives, and the resource that pins it. */
function served(content: Buffer, more: DownloadDesired = {}): Resource<DownloadDesired> {
  pages.set('/camo', content)
  return declared({ url: `${base}/camo`, checksum: sha256(content), ...more })
}
const host = localHost()
async function plan(resource: Resource<DownloadDesired>) {
  const [current] = await download.probe([resource], host)
  if (current === undefined) throw new Error('the probe gave nothing')
  return download.diff(resource, current)
}
async function apply(resource: Resource<DownloadDesired>) {
  const verdict = await plan(resource)
  if (!('changes' in verdict)) throw new Error(JSON.stringify(verdict))
  await download.apply(resource, verdict.changes ?? [], host)
  return verdict.changes
}
/** The attributes that are to change; the reason where it is blocked. */
async function differs(resource: Resource<DownloadDesired>) {
  const verdict = await plan(resource)
  return 'changes' in verdict ? verdict.changes?.map(({ attribute }) => attribute) : verdict
}
async function failure(resource: Resource<DownloadDesired>): Promise<ApplyError> {
  const error = await apply(resource).catch((caught: unknown) => caught)
  if (!(error instanceof ApplyError)) throw new Error(`no ApplyError: ${String(error)}`)
  return error
}
/** A tar archive of what the script makes in an empty folder. */
function tarball(script: string, ...options: string[]): Buffer {
  const from = mkdtempSync(join(tmpdir(), 'steward-archive-'))
  try {
    execFileSync('sh', ['-ec', script], { cwd: from })
    return execFileSync('tar', ['-C', from, '-cf', '-', ...options, '.'], { maxBuffer: 1e8 })
  } finally {
    rmSync(from, { recursive: true, force: true })
  }
}
const release = `mkdir -p camo-2.5.1/bin camo-2.5.1/doc; cd camo-2.5.1
  printf '#!/bin/sh' >bin/camo; chmod 4755 bin/camo; echo read >doc/README; chmod 666 doc/README
  ln -s ../bin/camo doc/program`

describe('check', () => {
  const sum = sha256(program)
  const url = 'https://example.org/a'
  test.each<[string, DownloadDesired, string, string?]>([
    ['no address', { checksum: sum }, 'download[camo] has no url'],
    ['no checksum', { url }, 'download[camo] has no checksum'],
    [
      'a mode for an archive',
      { url, checksum: sum, archive: 'tar', mode: '0755' },
      'download[camo]: what an archive holds has modes of its own',
    ],
    [
      'members of a file',
      { url, checksum: sum, members: ['a'] },
      'download[camo]: `members` is for archives',
    ],
    ['no path', { ensure: 'absent' }, 'download[camo]: camo is not an absolute path', 'camo'],
    ['the root', { ensure: 'absent' }, 'download[camo] would take the place of everything', '//'],
  ])('%s is refused', (_, desired, message, title) => {
    expect(download.check?.(declared(desired, title))?.message).toBe(message)
  })
})

describe('footprint', () => {
  test('of a file and of members of an archive', () => {
    const file = declared({ owner: 'zulip', group: 'zulip' }, '/srv/camo')
    expect(download.footprint(file)).toEqual({
      ensures: ['path:/srv/camo'],
      isLeaf: true,
      isWhole: true,
      needs: ['path:/srv', 'user:zulip', 'group:zulip'],
    })
    const archive = declared({ archive: 'tar.xz', members: ['bin/camo'] }, '/srv/camo/')
    expect(download.footprint(archive)).toMatchObject({
      ensures: ['path:/srv/camo', 'path:/srv/camo/bin/camo'],
      needs: expect.arrayContaining(['command:tar', 'command:xz']),
      writes: ['/srv/camo/**'],
    })
    expect(download.footprint(declared({ ensure: 'absent' }, '/srv/camo'))).toEqual({
      removes: ['path:/srv/camo'],
    })
  })
})

describe('a file', () => {
  test('is fetched once, and a plan fetches nothing', async () => {
    const resource = served(program, { mode: '0755' })
    expect(await plan(resource)).toEqual({
      changes: [
        { attribute: 'ensure', from: 'absent', to: 'present', note: `fetched from ${base}/camo` },
      ],
    })
    expect(requests).toEqual([])
    await apply(resource)
    expect(readFileSync(resource.title)).toEqual(program)
    expect(lstatSync(resource.title).mode & 0o7777).toBe(0o755)
    expect(await plan(resource)).toEqual({ changes: [] })
    expect(requests).toEqual(['/camo'])
  })

  test('is known by its content, and a checksum may be written in capitals', async () => {
    const resource = served(program)
    writeFileSync(resource.title, program, { mode: 0o644 })
    const capitals = { ...resource.desired, checksum: sha256(program).toUpperCase() }
    expect(await differs(declared(capitals))).toEqual([])
    writeFileSync(resource.title, '#!/bin/sh\necho CAMO\n')
    expect(await differs(resource)).toEqual(['checksum'])
    await apply(resource)
    expect(readFileSync(resource.title)).toEqual(program)
  })

  test('gets its mode back without being fetched', async () => {
    const resource = served(program, { mode: '0755' })
    writeFileSync(resource.title, program, { mode: 0o600 })
    expect(await apply(resource)).toEqual([{ attribute: 'mode', from: '0600', to: '0755' }])
    expect(await differs(resource)).toEqual([])
    expect(requests).toEqual([])
  })

  test('with another digest is thrown away, and what was there stays', async () => {
    const resource = served(program, { help: 'Set camo_url in zulip.conf.' })
    writeFileSync(resource.title, 'old')
    pages.set('/camo', Buffer.from('evil'))
    const error = await failure(resource)
    expect(error.message).toBe(
      `download[camo]: expected camo (SHA-256 ${sha256(program)}), and ${base}/camo gave 4 bytes with ${sha256(Buffer.from('evil'))}`,
    )
    expect(error.help).toBe('Set camo_url in zulip.conf.')
    expect(readFileSync(resource.title, 'utf8')).toBe('old')
  })

  test('takes the place of a link, and of a directory only with force', async () => {
    const resource = served(program)
    symlinkSync('/etc/passwd', resource.title)
    await apply(resource)
    expect(lstatSync(resource.title).isFile()).toBe(true)
    rmSync(resource.title)
    mkdirSync(resource.title)
    expect(await differs(resource)).toMatchObject({
      blocked: expect.stringContaining('did not make'),
    })
    await apply(served(program, { force: true }))
    expect(readFileSync(resource.title)).toEqual(program)
  })

  test('that is absent is removed, and stays away', async () => {
    const resource = declared({ ensure: 'absent' })
    writeFileSync(resource.title, program)
    await apply(resource)
    expect(existsSync(resource.title)).toBe(false)
    expect(await differs(resource)).toEqual([])
  })

  test('is not put where others could exchange it', async () => {
    chmodSync(folder, 0o777)
    const verdict = await plan(served(program))
    expect(verdict).toMatchObject({ blocked: expect.stringContaining('can be written by others') })
  })
})

describe('fetching', () => {
  const send =
    (status: number, headers: Record<string, string> = {}) =>
    (response: ServerResponse) =>
      response.writeHead(status, headers).end()

  test('follows where it is led on', async () => {
    const resource = served(program)
    pages.set('/old', send(302, { location: '/camo' }))
    await apply(declared({ ...resource.desired, url: `${base}/old` }))
    expect(requests).toEqual(['/old', '/camo'])
  })

  test.each<[string, (response: ServerResponse) => void, string]>([
    ['answers with an error', send(503), 'the server answered 503 Service Unavailable'],
    ['leads on for ever', send(301, { location: '/camo' }), 'it was led on more than 5 times'],
    [
      'leads on to a file',
      send(301, { location: 'file:///etc/passwd' }),
      'it was led on to file:, which is neither http nor https',
    ],
    ['is silent', () => undefined, 'it took longer than 0.3 s'],
    [
      'breaks off',
      (response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('part')
        setTimeout(() => response.destroy(), 20)
      },
      'aborted',
    ],
  ])(
    'says what it wanted, from where, and why not, when the server %s',
    async (_, page, reason) => {
      const resource = served(program, { timeout: '300ms' })
      pages.set('/camo', page)
      const error = await failure(resource)
      expect(error.message).toBe(
        `download[camo]: camo (SHA-256 ${sha256(program)}) could not be fetched from ${base}/camo: ${reason}`,
      )
      expect(error.help).toMatch(/mirror/)
      expect(readdirSync(folder)).toEqual([])
    },
  )

  test('says so when nobody answers', async () => {
    const resource = declared({ url: 'http://127.0.0.1:1/camo', checksum: sha256(program) })
    expect((await failure(resource)).message).toMatch(/127\.0\.0\.1:1\/camo: .*ECONNREFUSED/)
  })

  test('goes through the proxy that is declared', async () => {
    pages.set('/camo', program)
    const url = 'http://mirror.example/camo'
    await apply(declared({ url, checksum: sha256(program), proxy: base }))
    expect(requests).toEqual([url])
  })

  test('goes through that of the environment where that is declared', async () => {
    pages.set('/camo', program)
    vi.stubEnv('http_proxy', base)
    const url = 'http://mirror.example/camo'
    await apply(declared({ url, checksum: sha256(program), proxy: 'environment' }))
    vi.unstubAllEnvs()
    expect(requests).toEqual([url])
  })
})

describe('an archive', () => {
  test('is unpacked with modes of its own making, and nothing is left beside it', async () => {
    const resource = served(tarball(release), { archive: 'tar', strip: 1 })
    await apply(resource)
    const mode = (name: string) => lstatSync(join(resource.title, name)).mode & 0o7777
    expect(['', 'bin', 'bin/camo', 'doc/README'].map(mode)).toEqual([0o755, 0o755, 0o755, 0o644])
    expect(readdirSync(folder)).toEqual(['camo'])
    expect(await plan(resource)).toEqual({ changes: [] })
  })

  const hasXz = spawnSync('xz', ['--version']).status === 0
  const unpacks = (archive: 'tar.gz' | 'tar.xz', option: '--gzip' | '--xz') => async () => {
    const resource = served(tarball(release, option), { archive })
    await apply(resource)
    expect(existsSync(join(resource.title, 'camo-2.5.1/doc/README'))).toBe(true)
  }
  test('of the form tar.gz is unpacked', unpacks('tar.gz', '--gzip'))
  test.skipIf(!hasXz)(
    'of the form tar.xz is unpacked (skipped where there is no xz)',
    unpacks('tar.xz', '--xz'),
  )

  test('gives only the members that are named', async () => {
    const resource = served(tarball(release), { archive: 'tar', strip: 1, members: ['bin/camo'] })
    await apply(resource)
    expect(
      readdirSync(resource.title, { recursive: true, encoding: 'utf8' }).sort((a, b) =>
        a < b ? -1 : 1,
      ),
    ).toEqual(['.steward-download.json', 'bin', 'bin/camo'])
    expect(await differs(resource)).toEqual([])
    const more = { ...resource.desired, members: ['bin/camo', 'doc'] }
    expect(await differs(declared(more))).toEqual(['members'])
  })

  test.each([
    ['content', 'echo evil >bin/camo'],
    ['content', 'rm doc/README'],
    ['content', 'ln -sf /etc/passwd doc/program'],
    ['content', 'rm -r doc; ln -s /etc doc'],
    ['mode', 'chmod 4777 bin/camo'],
    ['checksum', 'echo {} >.steward-download.json'],
  ])('that is not what it was (%s: %s) is made whole', async (attribute, damage) => {
    const resource = served(tarball(release), { archive: 'tar', strip: 1, force: true })
    await apply(resource)
    execFileSync('sh', ['-ec', damage], { cwd: resource.title })
    expect(await differs(resource)).toEqual([attribute])
    await apply(resource)
    expect(await differs(resource)).toEqual([])
    expect(readFileSync(join(resource.title, 'bin/camo'), 'utf8')).toBe('#!/bin/sh')
  })

  test('leaves alone what was added, until another version comes', async () => {
    const resource = served(tarball(release), { archive: 'tar', strip: 1 })
    await apply(resource)
    writeFileSync(join(resource.title, 'cache'), 'x')
    expect(await differs(resource)).toEqual([])
    const next = served(tarball(`${release}; echo new >NEWS`), { archive: 'tar', strip: 1 })
    expect(await differs(next)).toEqual(['checksum'])
    await apply(next)
    expect(readdirSync(next.title)).toEqual(['.steward-download.json', 'NEWS', 'bin', 'doc'])
  })

  test('is neither fetched nor looked at as long as all that is made of it is there', async () => {
    const made = [join(folder, 'program'), join(folder, 'manual')]
    const resource = served(tarball(release), { archive: 'tar', strip: 1, creates: made })
    writeFileSync(join(folder, 'program'), '')
    expect(await differs(resource)).toEqual(['ensure'])
    symlinkSync('nowhere', join(folder, 'manual'))
    expect(await differs(resource)).toEqual([])
    mkdirSync(resource.title)
    writeFileSync(join(resource.title, 'mine'), '')
    expect(await differs(resource)).toEqual([])
    expect(requests).toEqual([])
    expect(await differs(served(program, { ensure: 'absent', creates: made }))).toMatchObject({
      blocked: expect.stringContaining('did not make'),
    })
  })

  test('does not take the place of a directory that it did not make', async () => {
    const resource = served(tarball(release), { archive: 'tar' })
    mkdirSync(resource.title)
    // As a run leaves it that is killed at its last step.
    expect(await differs(resource)).toEqual(['checksum'])
    writeFileSync(join(resource.title, 'data'), 'x')
    expect(await differs(resource)).toEqual({
      blocked: `download[camo]: ${resource.title} is a directory that it did not make`,
      help: expect.stringContaining('force: true'),
    })
    expect(await differs(declared({ ensure: 'absent' }))).toHaveProperty('blocked')
    await apply(served(tarball(release), { archive: 'tar', force: true }))
    await apply(declared({ ensure: 'absent' }))
    expect(existsSync(resource.title)).toBe(false)
  })

  test.each<[string, string, RegExp, DownloadDesired?]>([
    ['a link out of it', 'ln -s ../x out', /the link out leads out of it, or might: \.\.\/x/],
    ['an absolute link', 'ln -s /etc out', /the link out leads out of it, or might: \/etc/],
    [
      'a link out of it by way of another',
      'mkdir -p a/b; ln -s ../.. a/b/up; ln -s a/b/up/.. out',
      /the link out leads out of it, or might: a\/b\/up\/\.\./,
    ],
    ['a pipe', 'mkfifo pipe', /pipe is neither a file nor a folder nor a link/],
    ['the name of the record', 'echo {} >.steward-download.json', /the name of the record/],
    [
      'two outer folders',
      'mkdir a b',
      /`strip` wants a single folder, and there is a, b/,
      { strip: 1 },
    ],
    ['no such member', 'mkdir a b', /it has no member c; it holds a, b/, { members: ['c'] }],
  ])('with %s is refused as a whole', async (_, script, message, more) => {
    const resource = served(tarball(script), { archive: 'tar', ...more })
    expect((await failure(resource)).message).toMatch(message)
    expect(readdirSync(folder)).toEqual([])
  })

  test('can not write through its own links, nor above itself', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'steward-outside-'))
    try {
      const through = Buffer.concat([
        tarball(`ln -s ${outside} d`).subarray(0, -1024 * 9),
        tarball('mkdir d; echo evil >d/file'),
      ])
      expect((await failure(served(through, { archive: 'tar' }))).message).toMatch(
        /download\[camo\]/,
      )
      const above = tarball('echo evil >file', '--transform=s,file,../file,', '-P')
      expect((await failure(served(above, { archive: 'tar' }))).message).toMatch(/tar failed/)
      expect(readdirSync(outside)).toEqual([])
      expect(readdirSync(folder)).toEqual([])
    } finally {
      rmSync(outside, { recursive: true })
    }
  })

  test('that unpacks to more than the limit is refused', async () => {
    const bomb = execFileSync('sh', ['-c', 'truncate -s 5G b; tar -cf - --sparse b; rm b'], {
      cwd: folder,
    })
    expect((await failure(served(bomb, { archive: 'tar' }))).message).toMatch(/more than 4 GiB/)
    expect(readdirSync(folder)).toEqual([])
  })

  test('that is none is told as tar tells it', async () => {
    const error = await failure(served(program, { archive: 'tar.gz' }))
    expect(error.message).toMatch(/^download\[camo\]: tar failed: /)
  })
})
