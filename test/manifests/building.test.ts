import { describe, expect, test } from 'vitest'
import { type Case, catalogOf, content, desired, find, result } from './catalog.ts'

const nine = { version: '9.4', major: 9 }
const ten = { version: '10.1', major: 10 }
const of = (conf = '', facts: object = { release: ten }): Case => ({
  classes: ['zulip::static_asset_compiler'],
  conf,
  facts: facts as NonNullable<Case['facts']>,
})
const key = (line: string) => `[static_asset_compiler]\n${line}`
const sum = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const mistakes = (conf: string) =>
  result(of(conf)).diagnostics.flatMap(({ severity, message }) =>
    severity === 'error' ? [message] : [],
  )

describe('zulip::static_asset_compiler', () => {
  test.each([
    [nine, '20.15.1', '9.4.0'],
    [ten, '22.11.0', '9.14.2'],
  ])('has what a build of Zulip $version needs', (release, node, pnpm) => {
    const catalog = catalogOf(of('', { release }))
    expect(desired(catalog, `download[/srv/zulip-node-${node}]`)).toMatchObject({
      url: `https://nodejs.org/dist/v${node}/node-v${node}-linux-x64.tar.xz`,
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(desired(catalog, 'exec[Install pnpm]').shell).toMatch(
      new RegExp(` pnpm@${pnpm}\\+sha256\\.[0-9a-f]{64} `),
    )
    expect(find(catalog, 'package[gettext]')).toBeDefined()
  })
  test('has the very Node.js that the tree of a release installs, unless zulip.conf names one', () => {
    const node = { version: '22.14.0', amd64: sum, arm64: sum.replace('e', 'f') }
    const facts = { release: { ...ten, node } }
    expect(desired(catalogOf(of('', facts)), 'download[/srv/zulip-node-22.14.0]').checksum).toBe(
      sum,
    )
    expect(desired(catalogOf(of('', facts)), 'file[/srv/zulip-node]').target).toBe(
      '/srv/zulip-node-22.14.0',
    )
    const named = catalogOf(of(key('node_version = 22.11.0'), facts))
    expect(desired(named, 'download[/srv/zulip-node-22.11.0]').checksum).not.toBe(sum)
  })
  test('has another build of Node.js for another architecture', () => {
    const [amd64, arm64] = ['amd64', 'arm64'].map((architecture) =>
      desired(
        catalogOf(of('', { release: ten, architecture })),
        'download[/srv/zulip-node-22.11.0]',
      ),
    )
    expect(arm64?.url).toMatch(/-linux-arm64\.tar\.xz$/)
    expect(arm64?.checksum).not.toBe(amd64?.checksum)
  })
  test('puts Node.js where the scripts of a release look for it', () => {
    const catalog = catalogOf(of())
    const links = ['/srv/zulip-node', '/usr/local/bin/node', '/usr/local/bin/pnpm'].map(
      (path) => desired(catalog, `file[${path}]`).target,
    )
    expect(links).toEqual([
      '/srv/zulip-node-22.11.0',
      '/srv/zulip-node/bin/node',
      '/srv/zulip-node/lib/node_modules/corepack/dist/pnpm.js',
    ])
  })
  test.each([
    ['', { COREPACK_NPM_REGISTRY: '', HTTPS_PROXY: '' }],
    [
      key('npm_registry = http://npm.example.net/'),
      { COREPACK_NPM_REGISTRY: 'http://npm.example.net', HTTPS_PROXY: '' },
    ],
    ['[http_proxy]\nhost = proxy.example.net', { HTTPS_PROXY: 'http://proxy.example.net:4750' }],
  ])('has corepack fetch pnpm from where the host can: %j', (conf, environment) => {
    expect(desired(catalogOf(of(conf)), 'exec[Install pnpm]')).toMatchObject({
      user: 'zulip',
      environment,
    })
  })
  test('takes other versions with their checksums, and none without', () => {
    expect(mistakes(key('node_version = 22.12.0'))).toEqual([
      expect.stringContaining('write it in [static_asset_compiler] node_sha256'),
    ])
    expect(mistakes(key('pnpm_version = 9.15.0'))).toEqual([
      expect.stringContaining('write it in [static_asset_compiler] pnpm_sha256'),
    ])
    const other = catalogOf(of(key(`node_version = 22.12.0\nnode_sha256 = ${sum}`)))
    expect(desired(other, 'download[/srv/zulip-node-22.12.0]').checksum).toBe(sum)
    expect(mistakes(key('node_version = newest'))).toHaveLength(1)
  })
  test('leaves alone what is there where nothing may be fetched', () => {
    const catalog = catalogOf(of('[downloads]\nenabled = false'))
    const touched = catalog.resources.map(({ title }) => title)
    expect(touched.filter((title) => /zulip-node|pnpm|\/usr\/local\/bin/.test(title))).toEqual([])
  })
})

describe('zulip::profile::docker', () => {
  const catalog = catalogOf({ classes: ['zulip::profile::docker'] })
  test('has no service, for supervisor runs everything and is run itself', () => {
    expect(catalog.resources.filter(({ type }) => type === 'service')).toEqual([])
    expect(find(catalog, 'package[chrony]')?.desired).toMatchObject({ ensure: 'purged' })
  })
  test.each([
    ['cron', /^command=\/usr\/sbin\/cron -f$/m],
    ['nginx', /^command=\/usr\/sbin\/nginx -g 'daemon off;'$/m],
  ])('runs %s in the foreground, by root, also without a release', (name, command) => {
    const text = content(catalog, `/etc/supervisor/conf.d/zulip/${name}.conf`)
    expect(text).toMatch(command)
    expect(text).toMatch(/^user=root$[\s\S]*^autostart=true$/m)
  })
})
