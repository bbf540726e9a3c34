import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectRig, type TestHost } from './rig.ts'
import { type Snapshot, snapshot, touched } from './snapshot.ts'
import { installedImage, manifests, steward, zulipConf } from './steward.ts'

let host: TestHost
beforeAll(async () => {
  const rig = connectRig()
  host = await rig.up('refusals', { image: await installedImage(rig) })
})
afterAll(() => host?.destroy())

const broken = '/srv/broken'

// A manifest, its templates and a zulip.conf with one fault each, and what the message must name.
const faults = [
  {
    title: 'a manifest that is no YAML',
    files: { 'test/broken.yaml': 'class: test::broken\nresources:\n  - file: "/root/unfinished\n' },
    args: ['test::broken'],
    message: /test\/broken\.yaml:\d+:\d+/,
  },
  {
    title: 'a manifest with an unknown attribute',
    files: {
      'test/broken.yaml':
        'class: test::broken\nresources:\n  - file: /root/first\n    content: x\n  - service: nginx\n    ensrue: running\n',
    },
    args: ['test::broken'],
    message: /test\/broken\.yaml:6:5.*ensrue[\s\S]*did you mean "ensure"/,
  },
  {
    title: 'a template that is broken',
    files: {
      'test/broken.yaml':
        'class: test::broken\nresources:\n  - file: /root/first\n    content: x\n  - file: /root/second\n    template: broken.hbs\n',
      'templates/broken.hbs': 'one\n{{#if two}}\n',
    },
    args: ['test::broken'],
    message: /templates\/broken\.hbs/,
  },
  {
    title: 'a template that names what is not there',
    files: {
      'test/broken.yaml':
        'class: test::broken\nresources:\n  - file: /root/first\n    content: x\n  - file: /root/second\n    template: broken.hbs\n',
      'templates/broken.hbs': 'port {{ prot }}\n',
    },
    args: ['test::broken'],
    message: /templates\/broken\.hbs[\s\S]*prot/,
  },
  {
    title: 'an unknown class',
    files: {},
    args: [],
    conf: zulipConf.replace('zulip::nginx', 'zulip::ngnix'),
    message: /zulip\.conf:3[\s\S]*zulip::ngnix[\s\S]*zulip::nginx/,
  },
  {
    title: 'a class list that is separated by blanks',
    files: {},
    args: [],
    conf: zulipConf.replaceAll(', ', ' '),
    message: /zulip\.conf:3[\s\S]*comma/,
  },
]

test.each(faults)(
  '$title is refused before anything is touched',
  async ({ files, args, conf, message }) => {
    await host.shell(`rm -rf ${broken}; mkdir ${broken}`)
    for (const [path, text] of Object.entries(files))
      await host.writeFile(`${broken}/${path}`, text)
    await host.writeFile('/etc/zulip/zulip.conf', conf ?? zulipConf)
    const before = await stable()
    for (const mode of ['--dry-run', '--yes']) {
      const folders = ['--manifests', broken, '--manifests', manifests]
      const { stderr } = await steward(host, ['apply', mode, ...folders, ...args], { exitCode: 1 })
      expect(stderr).toMatch(message)
    }
    expect(touched(before, await stable())).toEqual([])
  },
)

/**
 * What the run may not touch: all but the state folder, and what the host itself keeps writing. (A new file
 * changes the ctime of all folders above, for overlayfs copies them.)
 */
async function stable(): Promise<Snapshot> {
  const places = /^\/(run|var\/log|var\/lib\/steward|var\/lib\/systemd)(\/|$)|^\/var(\/lib)?$/
  return new Map([...(await snapshot(host))].filter(([path]) => !places.test(path)))
}
