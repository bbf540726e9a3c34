import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CommandOptions, CommandResult } from '../../engine/host/host.ts'
import { localHost } from '../../engine/host/local.ts'
import { isRunning } from '../support/is-running.ts'

const host = localHost()
const possible = !('unavailable' in (await host.guard(['true'])))

/** Not below /tmp, which a guard does not see. */
let dir: string
beforeEach(() => {
  dir = mkdtempSync('/var/tmp/guard-')
  chmodSync(dir, 0o777)
  writeFileSync(join(dir, 'f'), 'untouched')
  chmodSync(join(dir, 'f'), 0o666)
})
afterEach(() => rmSync(dir, { recursive: true }))

async function guard(script: string, options: CommandOptions = {}): Promise<CommandResult> {
  const result = await host.guard(['sh', '-c', script], options)
  if ('unavailable' in result) throw new Error(result.unavailable)
  return result
}

describe.skipIf(!possible)('a guard (root, namespaces, Perl)', () => {
  test('answers as the command does', async () => {
    expect(await guard('cat; pwd; exit 3', { stdin: 'in\n', cwd: dir })).toMatchObject({
      exitCode: 3,
      stdout: `in\n${dir}\n`,
      argv: ['sh', '-c', 'cat; pwd; exit 3'],
    })
    const missing = await host.guard(['no-such-program'])
    expect(missing).toMatchObject({ startError: 'ENOENT' })
  })

  test.each(['root', 'nobody'])('writes nowhere as %s', async (user) => {
    const places = [
      dir,
      '/etc',
      '/var',
      '/root',
      '/run',
      '/home',
      '/usr',
      '/',
      '/dev',
      '/proc',
      '/sys',
    ]
    for (const place of places) {
      const name = join(place, `guard-was-here-${process.pid}`)
      const { exitCode } = await guard(`echo x >${name}`, { user })
      expect(exitCode, place).not.toBe(0)
      expect(existsSync(name), place).toBe(false)
    }
    const acts = [
      `echo changed >${dir}/f`,
      `rm -f ${dir}/f`,
      `mv ${dir}/f ${dir}/g`,
      `chmod 600 ${dir}/f`,
      `touch ${dir}/f`,
      `mkdir ${dir}/d`,
      `ln ${dir}/f ${dir}/h`,
    ]
    const before = lstatSync(join(dir, 'f'))
    for (const act of acts) expect((await guard(act, { user })).exitCode, act).not.toBe(0)
    const after = lstatSync(join(dir, 'f'))
    expect([after.ino, after.ctimeMs, after.mode]).toEqual([
      before.ino,
      before.ctimeMs,
      before.mode,
    ])
    expect(readFileSync(join(dir, 'f'), 'utf8')).toBe('untouched')
  })

  test('can not make the file system writable again', async () => {
    const tries = [
      'mount -o remount,rw /',
      'mount -o remount,bind,rw /',
      'mount -o remount,bind,rw /var',
      `mount --bind ${dir} ${dir}`,
      'umount /tmp',
      'unshare --mount true',
      `unshare --user --map-root-user --mount sh -c "mount -o remount,bind,rw /; echo x >${dir}/f"`,
      `nsenter --target ${process.pid} --mount sh -c 'echo x >${dir}/f'`,
      `echo x >/proc/${process.pid}/root${dir}/f`,
      `echo x >/proc/1/root${dir}/f`,
    ]
    for (const line of tries) expect((await guard(line)).exitCode, line).not.toBe(0)
    expect(readFileSync(join(dir, 'f'), 'utf8')).toBe('untouched')
  })

  test('reaches neither disks nor kernel settings, and keeps few capabilities', async () => {
    const disk = readFileSync('/proc/partitions', 'utf8').match(/\S+$/m)?.[0] ?? 'none'
    expect((await guard(`head -c 1 /dev/${disk}`)).exitCode).not.toBe(0)
    expect((await guard('cat /proc/sys/vm/swappiness >/proc/sys/vm/swappiness')).exitCode).not.toBe(
      0,
    )
    const { stdout } = await guard('grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status')
    // dac_override 1, dac_read_search 2, setgid 6, setuid 7
    expect(stdout).toBe('CapEff:\t00000000000000c6\nCapBnd:\t00000000000000c6\nNoNewPrivs:\t1\n')
  })

  test('has what commands take for granted: /dev/null, random numbers, an own /tmp and /dev/shm', async () => {
    writeFileSync('/tmp/guard-sees-not', '')
    try {
      const script = `echo x >/dev/null && head -c 4 /dev/urandom | wc -c && ls -A /tmp /dev/shm &&
        echo y >/tmp/mine && cat /tmp/mine && echo z >/dev/shm/mine && stat -c '%a %u' /tmp`
      const result = await guard(script, { user: 'nobody' })
      expect(result).toMatchObject({ stderr: '', exitCode: 0 })
      expect(result.stdout).toBe('4\n/dev/shm:\n\n/tmp:\ny\n1777 0\n')
      expect(existsSync('/tmp/mine')).toBe(false)
      expect(existsSync('/dev/shm/mine')).toBe(false)
    } finally {
      rmSync('/tmp/guard-sees-not')
    }
  })

  test('finds its scratch folders empty, writable, with their owner and mode', async () => {
    const logs = join(dir, 'logs')
    mkdirSync(logs)
    writeFileSync(join(logs, 'old.log'), '')
    chownSync(logs, 65_534, 33)
    chmodSync(logs, 0o2750)
    const script = `ls -A ${logs}; stat -c '%a %u %g' ${logs}; echo x >${logs}/new.log && cat ${logs}/new.log`
    const { stdout } = await guard(script, { user: 'nobody', scratch: [logs, join(dir, 'none')] })
    expect(stdout).toBe('2750 65534 33\nx\n')
    expect(existsSync(join(logs, 'new.log'))).toBe(false)
    expect(existsSync(join(logs, 'old.log'))).toBe(true)
  })

  test('is the user that is asked for, and root may become one', async () => {
    expect((await guard('id -u; id -G', { user: 'nobody' })).stdout).toBe('65534\n65534\n')
    expect((await guard('runuser -u nobody -- id -u')).stdout).toBe('65534\n')
  })

  test('leaves nothing running', async () => {
    const { stdout } = await guard('sleep 30 >/dev/null 2>&1 & echo $!')
    const pid = Number(stdout)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(isRunning(pid)).toBe(false)
  })

  test('is not asked where its folder or program would be hidden from it', async () => {
    const hidden = { unavailable: "/tmp lies in a folder that a guard can't see" }
    expect(await host.guard(['true'], { cwd: '/tmp' })).toEqual(hidden)
    expect(await host.guard([`${dir}/x/run`], { scratch: [`${dir}/x`] })).toHaveProperty(
      'unavailable',
    )
    expect(await host.guard(['true'], { cwd: dir })).toMatchObject({ exitCode: 0 })
  })
})

describe.skipIf(process.geteuid?.() !== 0)('without root (root, to become somebody else)', () => {
  /** What guards answer to nobody, who has neither root nor another group. */
  async function asNobody(script: string, options: CommandOptions = {}): Promise<CommandResult> {
    const local = new URL('../../engine/host/local.ts', import.meta.url).href
    const program = `import { localHost } from '${local}'
      process.setgroups([]); process.setgid(65534); process.setuid(65534)
      const [script, options] = ${JSON.stringify([script, options])}
      console.log(JSON.stringify(await localHost().guard(['sh', '-c', script], options)))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    for await (const piece of child.stdout) out += String(piece)
    return JSON.parse(out) as CommandResult
  }

  test('it is who it was, without a capability', async () => {
    const { stdout } = await asNobody(
      'id -u; id -G; grep -E "^(CapEff|NoNewPrivs)" /proc/self/status',
    )
    expect(stdout).toBe('65534\n65534\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n')
  })

  test('it writes nowhere, and can not change that', async () => {
    const acts = [
      `echo changed >${dir}/f`,
      `touch ${dir}/g /var/tmp/guard-was-here`,
      'mount -o remount,bind,rw /',
      'umount /tmp',
      `unshare --user --map-root-user --mount sh -c "mount -o remount,bind,rw /var; echo x >${dir}/f"`,
    ]
    for (const act of acts) expect((await asNobody(act)).exitCode, act).not.toBe(0)
    expect(readFileSync(join(dir, 'f'), 'utf8')).toBe('untouched')
    expect(existsSync('/var/tmp/guard-was-here')).toBe(false)
  })

  test('its scratch folders and /tmp are its own', async () => {
    const logs = join(dir, 'logs')
    mkdirSync(logs)
    chownSync(logs, 65_534, 33)
    chmodSync(logs, 0o750)
    const script = `echo x >${logs}/new.log && echo y >/tmp/mine && cat ${logs}/new.log /tmp/mine`
    expect(await asNobody(script, { scratch: [logs] })).toMatchObject({
      stdout: 'x\ny\n',
      stderr: '',
    })
    expect(existsSync(join(logs, 'new.log'))).toBe(false)
  })
})
