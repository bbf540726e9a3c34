import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { snapshot, touched } from './snapshot.ts'
import { installedImage, manifests, steward } from './steward.ts'

let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('root', { image: await installedImage(rig) })
  await host.copyIn(rig.baseTree, '/srv/tree')
})
afterAll(() => host?.destroy())

test('apply --root acts in a debootstrap tree, says what can not be done there, and leaves the host alone', async () => {
  const before = await snapshot(host)
  const args = ['--root', '/srv/tree', '--manifests', manifests, 'test::tree']
  const first = await steward(host, ['apply', '--yes', ...args], { exitCode: 0 })
  expect(first.stdout).toMatch(/service\[cron\].*(\n.*)?not possible under --root/)
  expect(
    await host.shell(
      'cd /srv/tree/srv/treefolk; stat -c "%n %a %u:%g" . leaf; readlink link; cat leaf',
    ),
  ).toBe('. 750 4711:4711\nleaf 644 4711:0\n/srv/treefolk/leaf\ngreen\n')
  expect(await host.shell('grep -h ^treefolk /srv/tree/etc/passwd /srv/tree/etc/group')).toMatch(
    /^treefolk:.*:4711:4711:/,
  )
  expect(await host.shell('cat /srv/tree/etc/cron.d/*treefolk*')).toContain('treefolk /bin/true')
  const outside = touched(before, await snapshot(host)).filter(
    (path) => !path.startsWith('/srv/tree/') && !/^\/(run|var\/log)(\/|$)/.test(path),
  )
  expect(outside).toEqual([])
  const second = await steward(host, ['apply', '--yes', ...args], { exitCode: 0 })
  expect(second.stdout).toMatch(/nothing to do/i)
})
