import { describe, expect, test } from 'vitest'
import { mount } from '../../engine/resources/mount.ts'
import type { Resource } from '../../engine/resources/type.ts'
import { type FakeHostOptions, fakeHost } from '../support/fake-host.ts'

type Desired = Parameters<typeof mount.footprint>[0]['desired']

const tmpfs = { device: 'tmpfs', fstype: 'tmpfs' }
const mine = 'tmpfs\t/srv/data\ttmpfs\tsize=1m\t0\t0\n'
const others = '# /etc/fstab\nUUID=1 / ext4 errors=remount-ro 0 1\n'
/** As proc shows it on Debian 12. */
const root = '27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,discard\n'
const mounted = '99 27 0:50 / /srv/data rw,noexec,relatime shared:7 - tmpfs tmpfs rw,size=1024k\n'

function declared(desired: Desired, title = '/srv/data'): Resource<Desired> {
  return { ref: `mount[${title}]`, type: 'mount', title, desired }
}
function machine(fstab: string, mountinfo: string, more: FakeHostOptions = {}) {
  const ran = ''
  const commands = {
    'mount /srv/data': ran,
    'umount /srv/data': ran,
    'mount -o remount /srv/data': ran,
    'systemctl daemon-reload': ran,
  }
  const files = { '/etc/fstab': fstab, '/proc/self/mountinfo': root + mountinfo }
  return fakeHost({ files, commands, ...more })
}
async function verdictOn(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const [current] = await mount.probe([resource], host)
  if (current === undefined) throw new Error('no state')
  return mount.diff(resource, current)
}
async function applied(host: ReturnType<typeof fakeHost>, resource: Resource<Desired>) {
  const verdict = await verdictOn(host, resource)
  if (!('changes' in verdict) || verdict.changes === undefined) throw new Error('no changes')
  return mount.apply(resource, verdict.changes, host)
}

const reload = 'systemctl daemon-reload'

describe('apply', () => {
  test.each<readonly [string, string, string, Desired, string, readonly string[]]>([
    [
      'a new entry is added with defaults, and mounted',
      others,
      '',
      tmpfs,
      `${others}tmpfs\t/srv/data\ttmpfs\tdefaults\t0\t0\n`,
      [reload, 'mount /srv/data'],
    ],
    ['what has its entry is mounted', others + mine, '', tmpfs, others + mine, ['mount /srv/data']],
    [
      'what is mounted gets its entry',
      others,
      mounted,
      { ...tmpfs, options: 'size=1m' },
      others + mine,
      [reload],
    ],
    [
      'new options are remounted, in the place of the entry',
      mine + others,
      mounted,
      { ...tmpfs, options: 'size=2m', pass: 2 },
      `tmpfs\t/srv/data\ttmpfs\tsize=2m\t0\t2\n${others}`,
      [reload, 'mount -o remount /srv/data'],
    ],
    [
      'another device is mounted anew',
      mine,
      mounted,
      { device: '/dev/b', fstype: 'tmpfs' },
      '/dev/b\t/srv/data\ttmpfs\tsize=1m\t0\t0\n',
      [reload, 'umount /srv/data', 'mount /srv/data'],
    ],
    [
      'a flag that the mount lacks is remounted',
      'tmpfs /srv/data tmpfs noexec,nosuid 0 0\n',
      mounted,
      tmpfs,
      'tmpfs /srv/data tmpfs noexec,nosuid 0 0\n',
      ['mount -o remount /srv/data'],
    ],
    [
      'present mounts nothing',
      others,
      '',
      { ...tmpfs, ensure: 'present', options: 'size=1m' },
      others + mine,
      [reload],
    ],
    [
      'unmounted keeps the entry',
      mine,
      mounted,
      { ...tmpfs, ensure: 'unmounted' },
      mine,
      ['umount /srv/data'],
    ],
    [
      'absent is neither',
      others + mine + mine,
      mounted,
      { ensure: 'absent' },
      others,
      ['umount /srv/data', reload],
    ],
    [
      'absent and not mounted leaves the entry out',
      mine + others,
      '',
      { ensure: 'absent' },
      others,
      [reload],
    ],
  ])('%s', async (_title, fstab, mountinfo, desired, after, runs) => {
    const host = machine(fstab, mountinfo)
    await applied(host, declared(desired))
    expect([host.text('/etc/fstab'), host.runs]).toEqual([after, runs])
  })
  test('blanks in names are written as fstab wants them, and read back', async () => {
    const host = machine('', '')
    const resource = declared({ ...tmpfs, device: '/dev/a b', ensure: 'present' }, '/srv/my data')
    await applied(host, resource)
    expect(host.text('/etc/fstab')).toBe('/dev/a\\040b\t/srv/my\\040data\ttmpfs\tdefaults\t0\t0\n')
    expect(await verdictOn(host, resource)).toEqual({ changes: [] })
  })
  test('in a tree that is managed from outside only the entry is kept', async () => {
    const host = machine('', '', { root: '/mnt', cannotRun: 'not possible under --root' })
    expect(await applied(host, declared(tmpfs))).toEqual({
      note: 'only in /etc/fstab: not possible under --root',
    })
    expect(host.runs).toEqual([])
    expect(await verdictOn(host, declared(tmpfs))).toEqual({
      changes: [],
      note: 'not mounted here: not possible under --root',
      leftAlone: true,
    })
  })
})

describe('diff', () => {
  test.each<readonly [string, string, string, Desired, readonly unknown[]]>([
    ['is empty in sync', mine, mounted, { ...tmpfs, options: 'size=1m' }, []],
    ['leaves undeclared attributes alone', mine, mounted, tmpfs, []],
    ['takes any state for present', mine, '', { ...tmpfs, ensure: 'present' }, []],
    ['finds what is gone', others, '', { ensure: 'absent' }, []],
    [
      'tells what is mounted without entry',
      others,
      mounted,
      { ensure: 'absent' },
      [['ensure', 'mounted, not in /etc/fstab', 'absent']],
    ],
    ['tells a missing mount', mine, '', tmpfs, [['ensure', 'unmounted', 'mounted']]],
    [
      'tells a flag that does not hold',
      'tmpfs /srv/data tmpfs ro 0 0\n',
      mounted,
      tmpfs,
      [['live', 'rw,noexec,relatime', 'ro']],
    ],
    [
      'counts no automount point as mounted',
      mine,
      mounted.replaceAll('- tmpfs', '- autofs'),
      { ...tmpfs, ensure: 'unmounted' },
      [],
    ],
  ])('%s', async (_title, fstab, mountinfo, desired, changes) => {
    const verdict = await verdictOn(machine(fstab, mountinfo), declared(desired))
    if (!('changes' in verdict)) throw new Error('no changes')
    expect(verdict.changes?.map(({ attribute, from, to }) => [attribute, from, to])).toEqual(
      changes,
    )
  })
})

test('check', () => {
  expect(mount.check?.(declared({ device: 'x' }))?.attribute).toBe('fstype')
  expect(mount.check?.(declared({ fstype: 'x' }))?.attribute).toBe('device')
  expect(mount.check?.(declared({ ensure: 'absent' }))).toBeUndefined()
  expect(mount.check?.(declared({ ...tmpfs, ensure: 'unmounted' }, '/'))?.attribute).toBe('ensure')
  expect(mount.check?.(declared(tmpfs, 'srv'))?.message).toContain('is not an absolute path')
})

test('footprint', () => {
  expect(
    mount.footprint(declared({ device: '/srv//disk.img', fstype: 'ext4' }, '/srv/data/')),
  ).toEqual({
    needs: ['path:/srv/data'],
    after: ['path:/etc/fstab', 'path:/srv/disk.img', 'command:mount.ext4'],
    covers: '/srv/data',
    writes: ['/etc/fstab'],
    edits: [{ path: '/etc/fstab', part: 'mount /srv/data', isGone: false }],
  })
})
