import { chmodSync, chownSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderWith, steward } from './steward.ts'

const conf = `# Ours
[machine]
puppet_classes = site::web, ::site::cache   

[cache]
; MiB
memory:  64
`
const manifests = {
  'manifests/site/web.yaml': 'class: site::web\n',
  'manifests/site/website.yaml': 'class: site::website\nalias_of: site::web\n',
  'manifests/site/mail.yaml':
    'class: site::mail\nparameters:\n  cache_limit: { type: integer, from: cache.limit, default: 5 }\n',
  'manifests/site/job.yaml': 'define: site::job\n',
  'manifests/site/restart.yaml': 'class: site::restart\nsteps: []\n',
  'manifests/site/cache.yaml': `class: site::cache
parameters:
  memory_mb: { type: integer, minimum: 16, from: cache.memory }
  hosts: { type: array, items: { type: string, pattern: "^[a-z.]+$" }, from: cache.hosts }
  limit: { type: integer, from: cache.limit, default: "\${{ memory_mb * 2 }}" }
  ports: { type: object, additionalProperties: { type: integer }, from: ports.* }
`,
}

/** Runs `steward conf` on a zulip.conf of this text; gives also what it says afterwards. */
function edit(args: readonly string[], text = conf) {
  const folder = folderWith({ 'zulip.conf': text, ...manifests })
  const ran = steward(folder, 'conf', ...args, '--config', 'zulip.conf', '--manifests', 'manifests')
  return { ...ran, folder, text: readFileSync(join(folder, 'zulip.conf'), 'utf8') }
}

describe('get', () => {
  test('prints the value and nothing else', () => {
    expect(edit(['get', 'cache.memory'])).toMatchObject({ status: 0, stdout: '64\n', stderr: '' })
  })

  test('fails where it is not set, and offers what is', () => {
    const ran = edit(['get', 'cache.memry'])
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toContain('no class reads it')
    expect(ran.stderr).toContain('did you mean "cache.memory"?')
  })

  test.each([
    ['what a class reads and nobody sets', 'cache.hots', 'did you mean "cache.hosts"?'],
    ['what is not set', 'cache.hosts', '"hosts" of site::cache has no value then'],
    ['what has a default', 'cache.limit', '"limit" of site::cache is then ${{ memory_mb * 2 }}'],
    ['what two classes read', 'cache.limit', '; "cache_limit" of site::mail is then 5'],
    ['what is read with its section', 'ports.http', '"ports" of site::cache reads its section'],
  ])('tells of %s who reads it and what it is then', (_title, name, words) => {
    const ran = edit(['get', name])
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toContain(words)
  })

  test('says that there is no file', () => {
    const folder = folderWith()
    const ran = steward(folder, 'conf', 'get', 'a.b', '--root', folder)
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toContain('there is no etc/zulip/zulip.conf')
  })

  test('wants section and key', () => {
    const ran = edit(['get', 'memory'])
    expect(ran.status).toBe(1)
    expect(ran.stderr).toContain('SECTION.KEY')
  })
})

describe('set', () => {
  test('changes one line and keeps the rest', () => {
    const ran = edit(['set', 'cache.memory', '128'])
    expect(ran.stdout).toBe('cache.memory is now 128 in zulip.conf (was 64).\n')
    expect(ran.text).toBe(conf.replace('64', '128'))
  })

  test('leaves the file alone where it says so already', () => {
    const folder = folderWith({ 'zulip.conf': conf })
    const before = statSync(join(folder, 'zulip.conf'))
    const ran = steward(folder, 'conf', 'set', 'cache.memory', '64', '--config', 'zulip.conf')
    expect(ran).toMatchObject({ status: 0, stdout: expect.stringContaining('Nothing to do') })
    expect(statSync(join(folder, 'zulip.conf')).ino).toBe(before.ino)
  })

  test('keeps owner and mode', () => {
    const folder = folderWith({ 'zulip.conf': conf })
    const path = join(folder, 'zulip.conf')
    chmodSync(path, 0o640)
    if (process.getuid?.() === 0) chownSync(path, 12, 34)
    const before = statSync(path)
    steward(folder, 'conf', 'set', 'cache.memory', '128', '--config', 'zulip.conf')
    const after = statSync(path)
    expect(after.ino).not.toBe(before.ino)
    expect([after.uid, after.gid, after.mode]).toEqual([before.uid, before.gid, before.mode])
  })

  test('edits the file of a root, and makes one in a folder that is there', () => {
    const folder = folderWith({ 'etc/zulip/other': '' })
    const args = ['--root', folder, '--manifests', folder]
    expect(steward(folder, 'conf', 'set', 'a.b', 'c', ...args)).toMatchObject({ status: 0 })
    expect(steward(folder, 'conf', 'set', 'a.d', 'e', ...args)).toMatchObject({ status: 0 })
    const path = join(folder, 'etc/zulip/zulip.conf')
    expect(readFileSync(path, 'utf8')).toBe('[a]\nb = c\nd = e\n')
    expect(statSync(path).mode & 0o7777).toBe(0o644)
  })

  test('says which folder is missing', () => {
    const folder = folderWith()
    const ran = steward(folder, 'conf', 'set', 'a.b', 'c', '--root', folder)
    expect(ran.status).toBe(1)
    expect(ran.stderr).toContain('mkdir -p etc/zulip')
  })

  test.each([
    ['of another type', ['set', 'cache.memory', 'lots'], 'takes an integer'],
    ['out of bounds', ['set', 'cache.memory', '8'], 'at least 16'],
    ['that is empty', ['set', 'cache.memory', ''], 'an empty value'],
    ['in a section that is read whole', ['set', 'ports.http', 'http'], 'takes an integer'],
    ['of several lines', ['set', 'other.note', 'a\nb'], "can't be written"],
    [
      'that is a class that does not exist',
      ['set', 'machine.puppet_classes', 'site::webb'],
      'site::web',
    ],
  ])('refuses a value %s', (_title, args, reason) => {
    const ran = edit(args)
    expect(ran).toMatchObject({ status: 1, stdout: '', text: conf })
    expect(ran.stderr).toContain(reason)
    expect(ran.stderr).not.toContain('    at ')
  })

  test('warns of a name that nobody reads and that looks like another', () => {
    const ran = edit(['set', 'cache.memroy', '128'])
    expect(ran.status).toBe(0)
    expect(ran.stderr).toContain('did you mean "cache.memory"?')
  })

  test('takes names that only Zulip itself reads', () => {
    expect(edit(['set', 'machine.deploy_type', 'production'])).toMatchObject({
      status: 0,
      stderr: '',
    })
  })

  test('puts no secret into a file that all can read', () => {
    const folder = folderWith({ 'etc/zulip/zulip.conf': conf })
    const ran = steward(folder, 'conf', 'set', 'secrets.password', 'hunter2', '--root', folder)
    expect(ran.status).toBe(1)
    expect(ran.stderr).toContain('zulip-secrets.conf')
    expect(readFileSync(join(folder, 'etc/zulip/zulip.conf'), 'utf8')).toBe(conf)
  })

  test('edits nothing in a file with mistakes', () => {
    const text = `${conf}nonsense\n`
    const ran = edit(['set', 'cache.memory', '128'], text)
    expect(ran).toMatchObject({ status: 1, text })
    expect(ran.stderr).toContain('zulip.conf:8:1')
  })

  test('follows a link of a trusted user to the file that it means', () => {
    const folder = folderWith({ 'real/zulip.conf': conf })
    symlinkSync('real/zulip.conf', join(folder, 'link.conf'))
    const ran = steward(folder, 'conf', 'set', 'cache.memory', '128', '--config', 'link.conf')
    expect(ran.status).toBe(0)
    expect(readFileSync(join(folder, 'real/zulip.conf'), 'utf8')).toContain('128')
    expect(statSync(join(folder, 'link.conf')).ino).toBe(
      statSync(join(folder, 'real/zulip.conf')).ino,
    )
  })

  test.skipIf(process.getuid?.() !== 0)(
    'does not write through a link in a folder of somebody unprivileged (as root only)',
    () => {
      const folder = folderWith({ 'victim.conf': conf, 'theirs/other': '' })
      chownSync(join(folder, 'theirs'), 1234, 1234)
      symlinkSync('../victim.conf', join(folder, 'theirs/zulip.conf'))
      const ran = steward(
        folder,
        'conf',
        'set',
        'cache.memory',
        '128',
        '--config',
        'theirs/zulip.conf',
      )
      expect(ran.status).toBe(1)
      expect(ran.stderr).toContain('symbolic link')
      expect(readFileSync(join(folder, 'victim.conf'), 'utf8')).toBe(conf)
    },
  )
})

describe('unset', () => {
  test('takes the line away, and does nothing the second time', () => {
    const ran = edit(['unset', 'cache.memory'])
    expect(ran.stdout).toBe('cache.memory is no longer set in zulip.conf (was 64).\n')
    expect(ran.text).toBe(conf.replace('memory:  64\n', ''))
    const again = edit(['unset', 'cache.memory'], ran.text)
    expect(again).toMatchObject({ status: 0, text: ran.text })
  })

  test('says what [DEFAULT] still gives', () => {
    const ran = edit(['unset', 'cache.memory'], `[DEFAULT]\nmemory = 32\n${conf}`)
    expect(ran.stdout).toContain('cache.memory is now 32')
  })
})

describe('add', () => {
  test('puts a class at the end of the list', () => {
    const ran = edit(['add', 'machine.puppet_classes', 'site::mail'])
    expect(ran.status).toBe(0)
    expect(ran.text).toBe(conf.replace('site::cache', 'site::cache, site::mail'))
  })

  test.each([
    ['by its name', 'site::web'],
    ['by an alias', 'site::website'],
    ['with leading colons', '::site::web'],
    ['that is listed with leading colons', 'site::cache'],
  ])('never lists a class twice: %s', (_title, name) => {
    const ran = edit(['add', 'machine.puppet_classes', name])
    expect(ran).toMatchObject({ status: 0, text: conf })
    expect(ran.stdout).toContain('Nothing to do')
  })

  test('begins the list where there is none', () => {
    const ran = edit(['add', 'machine.puppet_classes', 'site::mail'], '')
    expect(ran.text).toBe('[machine]\npuppet_classes = site::mail\n')
  })

  test.each([
    ['that does not exist', 'site::mial', 'did you mean "site::mail"?'],
    ['that is a define', 'site::job', 'is a define'],
    ['that is a procedure', 'site::restart', 'is a procedure'],
  ])('refuses a class %s', (_title, name, reason) => {
    const ran = edit(['add', 'machine.puppet_classes', name])
    expect(ran).toMatchObject({ status: 1, stdout: '', text: conf })
    expect(ran.stderr).toContain(reason)
  })

  test('refuses a list that is separated by blanks', () => {
    const text = '[machine]\npuppet_classes = site::web site::cache\n'
    const ran = edit(['add', 'machine.puppet_classes', 'site::mail'], text)
    expect(ran).toMatchObject({ status: 1, text })
    expect(ran.stderr).toContain('write site::web, site::cache')
  })

  test('adds to other lists too, item by item, and checks them', () => {
    expect(edit(['add', 'cache.hosts', 'a.example,b.example']).text).toContain(
      'hosts:  a.example, b.example\n',
    )
    expect(edit(['add', 'cache.hosts', 'UPPER'])).toMatchObject({ status: 1, text: conf })
  })

  test('refuses what is no list', () => {
    const ran = edit(['add', 'cache.memory', '1'])
    expect(ran).toMatchObject({ status: 1, text: conf })
    expect(ran.stderr).toContain('steward conf set cache.memory')
  })
})

describe('remove', () => {
  test('takes a class from the list, and does nothing the second time', () => {
    const ran = edit(['remove', 'machine.puppet_classes', 'site::cache'])
    expect(ran.text).toBe(conf.replace(', ::site::cache', ''))
    const again = edit(['remove', 'machine.puppet_classes', 'site::cache'], ran.text)
    expect(again).toMatchObject({ status: 0, text: ran.text })
  })

  test('takes one away that no longer exists', () => {
    const text = '[machine]\npuppet_classes = site::web,site::gone\n'
    const ran = edit(['remove', 'machine.puppet_classes', 'site::gone'], text)
    expect(ran.text).toBe('[machine]\npuppet_classes = site::web\n')
  })

  test('refuses one that is neither listed nor exists', () => {
    const ran = edit(['remove', 'machine.puppet_classes', 'site::weeb'])
    expect(ran).toMatchObject({ status: 1, text: conf })
    expect(ran.stderr).toContain('did you mean "site::web"?')
  })
})

describe('migrate', () => {
  test('writes the names of today, each once, and leaves all else as it is', () => {
    const text = conf.replace(
      'site::web, ::site::cache   ',
      'site::website, ::site::cache, site::web',
    )
    const ran = edit(['migrate'], text)
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(ran.stdout).toContain('site::website is called site::web today.')
    expect(ran.text).toBe(conf.replace('site::web, ::site::cache   ', 'site::web, ::site::cache'))
  })
  test('has nothing to do where no name is old', () => {
    const ran = edit(['migrate'])
    expect(ran).toMatchObject({ status: 0, stderr: '', text: conf })
    expect(ran.stdout).toMatch(/^Nothing to do: every class/)
  })
})
