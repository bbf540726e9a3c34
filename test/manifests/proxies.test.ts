import { describe, expect, test } from 'vitest'
import { type Case, catalogOf, content, desired, find, result } from './catalog.ts'

const programs = '/etc/supervisor/conf.d/zulip'
const off = '[downloads]\nenabled = false\n'
const proxy = (settings: string) => `[http_proxy]\n${settings}\n`

const camo = (options: Case = {}) =>
  catalogOf({ classes: ['zulip::localhost_camo'], secrets: { camo_key: 'k' }, ...options })
const smokescreen = (options: Case = {}) =>
  catalogOf({ classes: ['zulip::profile::smokescreen'], ...options })
const setting = (text: string, key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]
const messages = (options: Case) => result(options).diagnostics.map(({ message }) => message)

describe('the image proxy', () => {
  const program = (options?: Case) => content(camo(options), `${programs}/go-camo.conf`)

  test('listens on loopback, and gets its key from the secrets when it starts', () => {
    expect(setting(program(), 'command')).toBe(
      '/usr/local/bin/secret-env-wrapper GOCAMO_HMAC=camo_key /usr/local/bin/go-camo --listen=127.0.0.1:9292 --header="Strict-Transport-Security: max-age=15768000" --header="X-Frame-Options: DENY" --verbose',
    )
    expect(setting(program(), 'autostart')).toBe('true')
    expect(content(camo(), '/etc/nginx/zulip-include/app.d/camo.conf')).toMatch(
      /location \/external_content\/ \{\s+proxy_pass http:\/\/127\.0\.0\.1:9292\/;/,
    )
  })

  test.each([
    ['not through smokescreen of this host, which only forbids what it forbids itself', '', ''],
    ['through another proxy', 'host = proxy.test\nport = 3128', 'http://proxy.test:3128'],
    ['not through another where zulip.conf says so', 'host = proxy.test\nenable_for_camo = no', ''],
    [
      'through smokescreen where zulip.conf says so',
      'enable_for_camo = true',
      'http://localhost:4750',
    ],
    ['through none where there is none', 'host =\nenable_for_camo = true', ''],
    ['through one that is named by IPv6', 'host = 2001:db8::7', 'http://[2001:db8::7]:4750'],
  ])('reaches the world %s', (_title, settings, url) => {
    const environment = url === '' ? '' : `HTTP_PROXY="${url}",HTTPS_PROXY="${url}"`
    expect(setting(program({ conf: proxy(settings) }), 'environment')).toBe(environment)
  })

  test('brings smokescreen only where it goes through it', () => {
    const has = (settings: string) =>
      find(camo({ conf: proxy(settings) }), `file[${programs}/smokescreen.conf]`) !== undefined
    expect([has(''), has('enable_for_camo = true'), has('host = other.test')]).toEqual([
      false,
      true,
      false,
    ])
  })

  test('is not started without a key, and that is said', () => {
    const options = { classes: ['zulip::camo'], secrets: {} }
    expect(desired(catalogOf(options), 'supervisor_program[go-camo]').ensure).toBeUndefined()
    expect(messages(options)).toContainEqual(expect.stringContaining('no camo_key'))
  })

  test('is started after its key is written, where that is made in this run', () => {
    const catalog = catalogOf({
      classes: ['zulip::secrets', 'zulip::localhost_camo'],
      secrets: {},
      site: { 'zulip::camo': { key: 'as it was made' } },
    })
    const place = (ref: string) => catalog.order.indexOf(find(catalog, ref)?.index ?? -1)
    const written = place('ini_setting[secret camo_key]')
    expect(written).toBeGreaterThanOrEqual(0)
    expect(place('supervisor_program[go-camo]')).toBeGreaterThan(written)
  })

  test('follows what was fetched, and is restarted by it', () => {
    expect(desired(camo(), 'file[/usr/local/bin/go-camo]')).toMatchObject({
      target: '/srv/zulip-go-camo-2.5.1/bin/go-camo',
    })
    const { edges, resources } = camo()
    const restarting = edges
      .filter(({ to, refresh }) => resources[to]?.ref === 'supervisor_program[go-camo]' && refresh)
      .map(({ from }) => resources[from]?.ref)
    expect(restarting).toContain('file[/usr/local/bin/go-camo]')
  })

  test('that can not be fetched holds up no other program', () => {
    const { edges, resources } = camo()
    const waiting = new Set<number>()
    const visit = (index: number): void => {
      for (const { from, to } of edges) {
        if (from !== index || waiting.has(to)) continue
        waiting.add(to)
        visit(to)
      }
    }
    visit(find(camo(), 'download[/srv/zulip-go-camo-2.5.1]')?.index ?? -1)
    expect(new Set([...waiting].map((index) => resources[index]?.ref))).toEqual(
      new Set([
        'exec[Cleanup go-camo]',
        'file[/usr/local/bin/go-camo]',
        'supervisor_program[go-camo]',
      ]),
    )
  })
})

describe('smokescreen', () => {
  const program = (options?: Case) => content(smokescreen(options), `${programs}/smokescreen.conf`)

  test('listens on loopback by default, and elsewhere is told', () => {
    expect(setting(program(), 'command')).toBe('/usr/local/bin/smokescreen --listen-ip 127.0.0.1')
    const conf = proxy('listen_address = 192.0.2.2')
    expect(setting(program({ conf }), 'command')).toMatch(/--listen-ip 192\.0\.2\.2$/)
    expect(messages({ classes: ['zulip::smokescreen'], conf })).toContainEqual(
      expect.stringContaining('192.0.2.2, port 4750, and serves everybody who reaches it'),
    )
  })

  test('is built from its own source by the Go that is pinned, and from nothing else', () => {
    const built = '/usr/local/bin/smokescreen-85c4c64e1e01b899456d42459966a106f66c7cd5-go-1.22.5'
    const compile = desired(smokescreen(), 'exec[compile smokescreen]')
    expect(compile).toMatchObject({
      creates: built,
      cwd: '/srv/zulip-smokescreen-src-85c4c64e1e01b899456d42459966a106f66c7cd5',
    })
    expect(compile.shell).toContain('/srv/zulip-golang-1.22.5/bin/go build')
    expect(compile.shell).toContain('GOPROXY=off')
    expect(desired(smokescreen(), 'file[/usr/local/bin/smokescreen]')).toMatchObject({
      target: built,
    })
  })

  test('needs neither once it is built', () => {
    const catalog = smokescreen()
    const fetched = catalog.resources.filter(({ type }) => type === 'download')
    expect(fetched.map((each) => (each.desired as { creates?: unknown }).creates)).toEqual(
      fetched.map(() => [desired(catalog, 'exec[compile smokescreen]').creates]),
    )
    expect(fetched).toHaveLength(2)
  })

  test('is not built where nothing is fetched, and what that means is said', () => {
    const options = { classes: ['zulip::smokescreen'], conf: off }
    const refs = catalogOf(options).resources.map(({ ref }) => ref)
    expect(refs.filter((ref) => /^(download|exec)\[/.test(ref) && /smoke|go/.test(ref))).toEqual([])
    expect(messages(options)).toContainEqual(
      expect.stringContaining('whatever goes through http://localhost:4750 fails'),
    )
  })

  test('belongs to an application server unless another proxy, or none, is named', () => {
    const has = (settings: string) => {
      const catalog = catalogOf({ classes: ['zulip::app_frontend_base'], conf: proxy(settings) })
      return find(catalog, 'supervisor_program[smokescreen]') !== undefined
    }
    expect([has(''), has('host = ::1'), has('host ='), has('port = 3128')]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})
