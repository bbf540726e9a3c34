import { expect, test } from 'vitest'
import { parseMounts } from '../../engine/facts/mounts.ts'

const sizeOf = (path: string) => {
  if (path.startsWith('/mnt')) throw new Error(`${path} was asked for its size`)
  return path === '/gone' ? undefined : { size_mb: 100, free_mb: 40 }
}
const mountsOf = (text: string) => parseMounts(text, sizeOf)
const sized = { size_mb: 100, free_mb: 40 }
const unsized = { size_mb: null, free_mb: null }

test('file systems that hold files are listed, others are not', () => {
  const text = `proc /proc proc rw 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw 0 0
systemd-1 /auto autofs rw 0 0
/etc/auto.misc /misc autofs rw 0 0
/dev/vda / ext4 rw,discard 0 0
tmpfs /run tmpfs rw 0 0
`
  expect(mountsOf(text)).toEqual([
    { path: '/', device: '/dev/vda', type: 'ext4', ...sized },
    { path: '/run', device: 'tmpfs', type: 'tmpfs', ...sized },
  ])
})

test.each(['nfs4', 'cifs', '9p', 'fuse.sshfs'])('a %s is never asked for its size', (type) => {
  expect(mountsOf(`//server/x /mnt/x ${type} rw 0 0\n`)).toEqual([
    { path: '/mnt/x', device: '//server/x', type, ...unsized },
  ])
})

test('one that does not answer has no size', () => {
  expect(mountsOf('/dev/vdb /gone ext4 rw 0 0\n')).toMatchObject([unsized])
})

test('blanks in paths are written as such, and the upper of two mounts counts', () => {
  const text =
    '/dev/vdb /a\\040b ext4 rw 0 0\n/dev/vda / ext4 rw 0 0\ntmpfs /a\\040b tmpfs rw 0 0\n'
  expect(mountsOf(text).map(({ path, type }) => [path, type])).toEqual([
    ['/', 'ext4'],
    ['/a b', 'tmpfs'],
  ])
})
