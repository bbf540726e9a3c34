import { describe, expect, test } from 'vitest'
import { fakeHost } from './fake-host.ts'

const owner = { uid: 0, gid: 0 }

describe('files', () => {
  test('make their parents, and list by name', () => {
    const host = fakeHost({ files: { '/etc/b': 'two', '/etc/a/c': 'one' } })
    expect(host.list('/etc')).toEqual(['a', 'b'])
    expect(host.stat('/etc/a')).toMatchObject({ kind: 'directory', mode: 0o755, uid: 0 })
    expect(host.stat('/etc/b')).toMatchObject({ kind: 'file', mode: 0o644, size: 3 })
    expect(host.stat('/etc/b/under')).toBeUndefined()
    expect(host.list('/')).toEqual(['etc'])
  })
  test('are found through links among the parents, and a loop is an error', () => {
    const host = fakeHost({
      files: { '/srv/x': 'here', '/link': { target: 'srv' }, '/loop': { target: '/loop' } },
    })
    expect(host.read('/link/x').toString()).toBe('here')
    expect(host.stat('/link')).toMatchObject({ kind: 'link', size: 3 })
    expect(() => host.stat('/loop/x')).toThrow('ELOOP')
  })
  test('change by the acts of a host, which are noted', () => {
    const host = fakeHost()
    host.makeDirectory('/d', { ...owner, mode: 0o700 })
    host.writeFile('/d/f', Buffer.from('text'), { ...owner, mode: 0o600 })
    host.setMode('/d/f', 0o640)
    host.setOwner('/d/f', { uid: 5, gid: 6 })
    expect(host.stat('/d/f')).toMatchObject({ mode: 0o640, uid: 5, gid: 6 })
    expect(host.text('/d/f')).toBe('text')
    host.remove('/d')
    expect(host.stat('/d/f')).toBeUndefined()
    expect(host.writes.map((write) => write.act)).toEqual([
      'makeDirectory',
      'writeFile',
      'setMode',
      'setOwner',
      'remove',
    ])
  })
  test('are refused where the real thing refuses', () => {
    const host = fakeHost({ files: { '/d/f': '', '/l': { target: '/d' } } })
    const options = { ...owner, mode: 0o644 }
    expect(() => host.writeFile('/none/f', Buffer.of(), options)).toThrow('ENOENT')
    expect(() => host.writeFile('/d', Buffer.of(), options)).toThrow('EISDIR')
    expect(() => host.makeDirectory('/d', options)).toThrow('EEXIST')
    expect(() => host.setMode('/l', 0o600)).toThrow('ELOOP')
    expect(() => host.remove('/none')).toThrow('ENOENT')
    expect(() => host.read('/d')).toThrow('EISDIR')
  })
})

describe('commands', () => {
  test('answer with text, with parts of a result, or by acting on the host', async () => {
    const host = fakeHost({
      commands: {
        'uname -r': '6.1\n',
        false: { exitCode: 1, stderr: 'no' },
        'useradd zulip': () => {
          host.put('/etc/passwd', 'zulip:x:1000:1000::/home/zulip:/bin/sh\n')
          return ''
        },
      },
    })
    expect(await host.query(['uname', '-r'])).toMatchObject({ exitCode: 0, stdout: '6.1\n' })
    expect(await host.guard(['false'])).toMatchObject({ exitCode: 1, stderr: 'no' })
    expect(host.accounts().uid('root')).toBe(0)
    await host.run(['useradd', 'zulip'], { cwd: '/' })
    expect(host.accounts().uid('zulip')).toBe(1000)
    expect(host).toMatchObject({
      queries: ['uname -r'],
      guards: ['false'],
      runs: ['useradd zulip'],
    })
    expect(host.asked[2]).toEqual({ argv: ['useradd', 'zulip'], options: { cwd: '/' } })
  })
  test('that types share are asked again after something ran', async () => {
    const host = fakeHost({ commands: { ask: 'yes', act: '' } })
    await host.queryShared(['ask'])
    await host.queryShared(['ask'])
    expect(host.queries).toEqual(['ask'])
    await host.run(['act'])
    await host.queryShared(['ask'])
    expect(host.queries).toEqual(['ask', 'ask'])
  })
  test('that are unknown throw with their text', async () => {
    await expect(fakeHost().run(['rm', '-rf', '/'])).rejects.toThrow('rm -rf /')
  })
})
