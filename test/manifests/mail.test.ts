import { describe, expect, test } from 'vitest'
import { type Case, catalogOf, content, desired, result } from './catalog.ts'

const classes = ['zulip::postfix_localmail']
const facts: Case['facts'] = { fqdn: 'chat.example.org', hostname: 'chat' }
const of = (options: Case = {}): Case => ({
  classes,
  ...options,
  facts: { ...facts, ...options.facts },
})
const folder = '/etc/postfix'
const mistakes = (options: Case) =>
  result(of(options)).diagnostics.flatMap(({ severity, message }) =>
    severity === 'error' ? [message] : [],
  )

/** What a table of patterns answers for an address, as postfix reads it: the first that fits, in any case. */
function answer(table: string, address: string): string | undefined {
  for (const line of table.split('\n')) {
    const [, pattern, result] = /^\/(.*)\/ (\S+)$/.exec(line) ?? []
    if (pattern !== undefined && new RegExp(pattern, 'i').test(address)) return result
  }
  return undefined
}

describe('zulip::postfix_localmail', () => {
  const catalog = catalogOf(of())
  const main = content(catalog, `${folder}/main.cf`)
  test.each([
    ['a channel', 'name.0123abcd.show-sender@chat.example.org', true],
    ['a channel, the old way', 'name+0123abcd@chat.example.org', true],
    ['an answer to mail about a message', 'mm0123abcd@CHAT.example.org', true],
    ['somebody of this host', 'root@chat.example.org', false],
    ['somebody elsewhere', 'a+b@example.com', false],
    ['a name that the domain stands in', 'a+b@chat.example.org.example.com', false],
    ['a name that only looks like the domain', 'a+b@chatxexample.org', false],
  ])('an address of %s', (_what, address, isOfGateway) => {
    expect(answer(content(catalog, `${folder}/virtual`), address)).toBe(
      isOfGateway ? 'zulip@localhost' : undefined,
    )
    expect(answer(content(catalog, `${folder}/access`), address)).toBe(
      isOfGateway ? 'OK' : undefined,
    )
  })
  test('takes mail for the postmaster, which stays on this host', () => {
    expect(answer(content(catalog, `${folder}/access`), 'postmaster@chat.example.org')).toBe('OK')
    expect(answer(content(catalog, `${folder}/virtual`), 'postmaster@chat.example.org')).toBe(
      undefined,
    )
  })
  test('refuses everybody else, and passes mail on for this host alone', () => {
    expect(main).toMatch(/check_recipient_access regexp:\/etc\/postfix\/access,\n +reject\n/)
    expect(main).toContain('mynetworks = 127.0.0.0/8 [::1]/128\n')
    expect(main).toContain(
      'smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n',
    )
  })
  test('goes by the name in zulip.conf', () => {
    const other = catalogOf(of({ conf: '[postfix]\nmailname = zulip.example.com' }))
    expect(content(other, '/etc/mailname')).toBe('zulip.example.com\n')
    expect(content(other, `${folder}/main.cf`)).toContain('myhostname = zulip.example.com\n')
    expect(answer(content(other, `${folder}/virtual`), 'a.b@zulip.example.com')).toBeDefined()
  })
  test('needs a name with a domain', () => {
    const bare = { fqdn: 'chat' }
    expect(mistakes({ facts: bare })).toEqual([
      expect.stringContaining('"chat" has no domain: write one in [postfix] mailname'),
    ])
    expect(mistakes({ facts: bare, conf: '[postfix]\nmailname = chat.example.org' })).toEqual([])
  })
  test('is configured before its package is there', () => {
    for (const name of ['main.cf', 'master.cf', 'access', 'virtual']) {
      const { index } = catalog.resources.find(({ ref }) => ref === `file[${folder}/${name}]`) ?? {}
      const postfix = catalog.resources.find(({ ref }) => ref === 'package[postfix]')?.index
      expect(catalog.edges.some(({ from, to }) => from === index && to === postfix)).toBe(true)
    }
    expect(desired(catalog, 'debconf[postfix/main_mailer_type]').value).toBe('No configuration')
  })
  test.each([
    ['at 80, without TLS', '', 'http://127.0.0.1:80'],
    [
      'elsewhere, where it serves plain HTTP',
      'http_only = true\nnginx_listen_port = 8080',
      'http://127.0.0.1:8080',
    ],
  ])('asks nginx %s', (_where, key, address) => {
    const other = catalogOf(of({ conf: `[application_server]\n${key}` }))
    expect(content(other, `${folder}/master.cf`)).toMatch(
      new RegExp(
        `user=zulip argv=\\S+/email-mirror-postfix -r \\$\\{original_recipient\\} -d ${address}$`,
        'm',
      ),
    )
  })
  test('restarts for its settings, and reloads for its tables', () => {
    const service = desired(catalog, 'service[postfix]')
    expect(service.restart_on).toContain(`${folder}/master.cf`)
    expect(service.reload_on).toEqual(
      expect.arrayContaining([`${folder}/access`, `${folder}/virtual`]),
    )
  })
})

describe('zulip::apache_sso', () => {
  const catalog = catalogOf({ classes: ['zulip::apache_sso', 'zulip::localhost_sso'] })
  test('has the modules, with what they need', () => {
    const enabled = catalog.resources.flatMap(({ title }) =>
      title.startsWith('/etc/apache2/mods-enabled/') ? [title.split('/').at(-1)] : [],
    )
    for (const name of ['headers', 'proxy', 'proxy_http', 'rewrite', 'ssl', 'wsgi'])
      expect(enabled).toContain(`${name}.load`)
    expect(enabled).toContain('socache_shmcb.load')
  })
  test('listens nowhere by itself, and by its example on this host alone', () => {
    expect(content(catalog, '/etc/apache2/ports.conf')).not.toMatch(/^\s*Listen/m)
    const example = content(catalog, '/etc/apache2/sites-available/zulip-sso.example')
    expect(example.match(/^ *Listen.*/gm)).toEqual(['Listen 127.0.0.1:8888'])
  })
  test('is asked by nginx where somebody logs in', () => {
    expect(content(catalog, '/etc/nginx/zulip-include/app.d/external-sso.conf')).toMatch(
      /location \/accounts\/login\/sso\/ \{[\s\S]*proxy_pass https:\/\/localhost_sso;/,
    )
  })
})
