import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { installedImage, manifests, steward } from './steward.ts'

// The life of one host, in order: the tests build on each other.
let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('programs', { image: await installedImage(rig) })
  await apply()
})
afterAll(() => host?.destroy())

const command = ['apply', '--yes', '--manifests', manifests, 'test::programs']
const apply = (...values: string[]) =>
  steward(host, [...command, ...values.flatMap((value) => ['--with', value])], { exitCode: 0 })

/** Which programs were started by an apply, sorted, and who it says it refreshed. */
async function startsOf(...values: string[]) {
  await host.shell('rm -f /srv/starts')
  const { stdout } = await apply(...values)
  await host.shell('sleep 2')
  const starts = (await host.shell('touch /srv/starts; sort /srv/starts')).trim().split('\n')
  const told = [...stdout.matchAll(/^re(?:started|loaded) +(\S+)/gm)].map(([, ref]) => ref)
  return { starts, told }
}

test('a program that supervisor starts anew for its definition is not restarted for what it reads too', async () => {
  expect(await startsOf('read=two', 'definition=two')).toEqual({
    starts: ['first', 'second'],
    told: ['service[supervisor]', 'supervisor_program[second]'],
  })
  expect((await apply('read=two', 'definition=two')).stdout).toMatch(/nothing to do/i)
})

test('for a definition alone, and for what is read alone, who it is about is started once', async () => {
  expect(await startsOf('read=two', 'definition=three')).toEqual({
    starts: ['first'],
    told: ['service[supervisor]'],
  })
  expect(await startsOf('read=three', 'definition=three')).toEqual({
    starts: ['first', 'second'],
    told: ['supervisor_program[first]', 'supervisor_program[second]'],
  })
})

test('what a definition says in other words is no other, and the restart comes all the same', async () => {
  // Read as before by supervisor, which starts nothing for it.
  await host.shell('sed -i "s/^environment/environment /" /etc/supervisor/conf.d/first.conf')
  await host.shell('sed -i "s/IS=/IS= /" /etc/supervisor/conf.d/second.conf')
  const { starts } = await startsOf('read=four', 'definition=three')
  expect(starts).toEqual(['first', 'second'])
})
