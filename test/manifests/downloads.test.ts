import { describe, expect, test } from 'vitest'
import { type Case, catalogOf, desired, find, result } from './catalog.ts'

const server = (options: Case = {}) => catalogOf({ classes: ['zulip::wal_g'], ...options })
const folder = '/srv/zulip-wal-g-3.0.0'
const fetched = (options?: Case) => desired(server(options), `download[${folder}]`)

describe('what is fetched', () => {
  test('is pinned by version and checksum for each architecture', () => {
    const [amd64, arm64] = ['amd64', 'arm64'].map((architecture) =>
      fetched({ facts: { architecture } }),
    )
    for (const each of [amd64, arm64]) {
      expect(each?.url).toMatch(/^https:\/\/github\.com\/wal-g\/.*\/v3\.0\.0\/.*\.tar\.gz$/)
      expect(each?.checksum).toMatch(/^[0-9a-f]{64}$/)
    }
    expect(amd64?.checksum).not.toBe(arm64?.checksum)
    expect(arm64?.members).toEqual(['wal-g-pg-ubuntu-20.04-aarch64'])
  })

  test('is refused for an architecture without a checksum', () => {
    const { diagnostics } = result({
      classes: ['zulip::wal_g'],
      facts: { architecture: 'riscv64' },
    })
    expect(diagnostics.map(({ message }) => message)).toEqual([
      expect.stringContaining('wal-g 3.0.0 is not to be had for riscv64'),
    ])
  })

  test('comes from a mirror where zulip.conf names one, with the same checksum', () => {
    const mirrored = fetched({ conf: '[downloads]\nmirror = http://mirror.test/zulip/\n' })
    expect(mirrored.url).toBe(
      'http://mirror.test/zulip/github.com/wal-g/wal-g/releases/download/v3.0.0/wal-g-pg-ubuntu-20.04-amd64.tar.gz',
    )
    expect(mirrored.checksum).toBe(fetched().checksum)
  })

  test('comes through the proxy of the programs where that is another host, and no mirror is named', () => {
    const proxy = (conf: string) => fetched({ conf }).proxy
    const other = '[http_proxy]\nhost = proxy.test\nport = 3128\n'
    expect(proxy(other)).toBe('http://proxy.test:3128')
    expect(proxy(`${other}[downloads]\nmirror = http://mirror.test\n`)).toBe('environment')
    expect(proxy('')).toBe('environment')
    expect(proxy('[http_proxy]\nhost =\n')).toBe('environment')
  })

  test('is told how to do without it', () => {
    expect(fetched().help).toMatch(/mirror in \[downloads\] of zulip\.conf .* enabled = false/)
  })
})

describe('every program that is fetched', () => {
  const classes = [
    'zulip::camo',
    'zulip::profile::smokescreen',
    'zulip::sentry_cli',
    'zulip::tusd',
    'zulip::wal_g',
  ]
  const cases = [9, 10].flatMap((major) =>
    ['amd64', 'arm64'].map((architecture) => ({ major, architecture })),
  )
  /** By name: the version in its path, and what is fetched. */
  function fetchedOn({ major, architecture }: (typeof cases)[number]) {
    const release = {
      version: `${major}.0`,
      major,
      minor: 0,
      tree: '/home/zulip/deployments/x',
      node: null,
    }
    const { resources } = catalogOf({ classes, facts: { architecture, release } })
    return resources
      .filter(({ type }) => type === 'download')
      .map(({ title, desired: pinned }) => {
        const [, name, version] = /^\/srv\/zulip-(.+)-([0-9a-f][0-9a-f.]*)$/.exec(title) ?? []
        return { name, version, ...(pinned as { url: string; checksum: string }) }
      })
  }

  test.each(cases)('has a full address and checksum: Zulip $major on $architecture', (each) => {
    const fetched = fetchedOn(each)
    expect(new Set(fetched.map(({ name }) => name))).toEqual(
      new Set(['go-camo', 'golang', 'sentry-cli', 'smokescreen-src', 'tusd', 'wal-g']),
    )
    for (const { url, version, checksum } of fetched) {
      expect(url).toMatch(/^https:\/\/[a-z.-]+\/[\w./-]+$/)
      expect(url).toContain(version)
      expect(checksum).toMatch(/^[0-9a-f]{64}$/)
    }
  })

  test('shares its checksum with nothing that has another address', () => {
    const addresses = new Map<string, string>()
    for (const { url, checksum } of cases.flatMap(fetchedOn)) {
      expect(addresses.get(checksum) ?? url).toBe(url)
      addresses.set(checksum, url)
    }
    // Sentry's in two versions; the source is the same everywhere.
    expect(addresses.size).toBe(2 * (4 + 2) + 1)
  })
})

test('older versions go once a newer one has come, and only then', () => {
  const catalog = server()
  const cleanup = find(catalog, 'exec[Cleanup wal-g]')
  expect(cleanup?.desired).toMatchObject({ refreshonly: true })
  const refreshing = catalog.edges
    .filter(({ to, refresh }) => to === cleanup?.index && refresh)
    .map(({ from }) => catalog.resources[from]?.ref)
  expect(refreshing).toEqual([`download[${folder}]`])
})

test('nothing is fetched or removed where downloads are switched off, and that is said', () => {
  const conf = '[downloads]\nenabled = false\n'
  const { catalog, diagnostics } = result({ classes: ['zulip::wal_g'], conf })
  // The name leads to where the administrator puts the program.
  expect(catalog?.resources.map(({ ref }) => ref)).toEqual([
    'file[/usr/local/bin/wal-g]',
    'file[/usr/local/bin/env-wal-g]',
    'tidy[/usr/local/bin/wal-g-*]',
  ])
  expect(diagnostics.map(({ message }) => message)).toContainEqual(
    expect.stringContaining('Nothing is fetched'),
  )
})
