import { describe, expect, test } from 'vitest'
import { SECRET } from '../../engine/redactor.ts'
import { columnsOf } from '../../engine/ui/layout.ts'
import { paintFor } from '../../engine/ui/paint.ts'
import { type PlanTextOptions, renderPlan } from '../../engine/ui/plan-text.ts'
import { newContent, planned, planOf, server } from './example.ts'

const plain: PlanTextOptions = {
  paint: (_tone, text) => text,
  width: 120,
  showDiff: true,
  verbose: false,
}
const coloured = paintFor({ isTerminal: true, noColor: undefined, forceColor: undefined })

describe('a plan', () => {
  test.each([
    [1, 0, '1 thing is there that steward does not manage any more: steward orphans.'],
    [1, 1, '1 thing is there that steward does not manage any more, edited here: steward orphans.'],
    [3, 1, 'any more, 1 of them edited here: steward orphans.'],
  ])('tells of %s orphans, %s of them edited', (left, edited, told) => {
    expect(renderPlan({ ...server, orphans: { left, edited } }, plain)).toContain(told)
  })

  test('names the command for orphans with the options that say where things lie', () => {
    const options = {
      ...plain,
      width: Number.POSITIVE_INFINITY,
      given: { root: 'tree', config: 'my.conf' },
    }
    expect(renderPlan({ ...server, orphans: { left: 1, edited: 0 } }, options)).toContain(
      ': steward orphans --root tree --config my.conf.',
    )
  })

  test('tells first what is overwritten, then the rest in order, and counts last', () => {
    expect(renderPlan(server, plain)).toMatchInlineSnapshot(`
      "What was changed here and is overwritten:
        ~ file[/etc/memcached.conf]               content +2 -1 (edited here), mode 0644 → 0640
            @@ -1,4 +1,5 @@
             -d
            --m 64
            +-m 128
             -p 11211
             -u memcache
            +-S

      What else is overwritten or removed:
        - file[/etc/nginx/sites-enabled/default]  ensure link → absent

      What else is done:
        + package[memcached]                      1.6.18-1
        + file[/etc/sasl2]                        directory, root:root 0755
        > exec[make a certificate]                openssl req -new -x509 -nodes -out /etc/ssl/certs/zulip.pem
                                                  (/etc/ssl/certs/zulip.pem is missing)
        ↻ service[memcached]                      restart because file[/etc/memcached.conf] changes
        … service[nginx]                          known after package[nginx]; running, enable true
        ~ sysctl[vm.overcommit_memory]            would change (noop): live 0 → 1
        ? service[redis]                          unknown: systemd does not run here

      What is blocked:
        ! file[/srv/data]                         /srv/data is a directory, which is removed only with force
            help  Set force: true where the directory may go.

      What is left as it is:
        = file[/etc/motd]: /etc/motd is kept: it differs, and is made only where it is missing (replace: false)

      Plan: 2 to create, 1 to change, 1 to remove, 1 to run, 1 to refresh, 1 known later, 1 unknown, 1 would change (noop), 1
      blocked; 120 in sync. 2 guards were asked, read-only."
    `)
  })

  test('fits a narrow terminal', () => {
    const text = renderPlan(server, { ...plain, width: 40, showDiff: false })
    expect(text).toMatchInlineSnapshot(`
      "What was changed here and is overwritten:
        ~ file[/etc/memcached.conf]
            content +2 -1 (edited here), mode
            0644 → 0640

      What else is overwritten or removed:
        - file[/etc/nginx/sites-enabled/default]
            ensure link → absent

      What else is done:
        + package[memcached]  1.6.18-1
        + file[/etc/sasl2]
            directory, root:root 0755
        > exec[make a certificate]
            openssl req -new -x509 -nodes -out
            /etc/ssl/certs/zulip.pem
            (/etc/ssl/certs/zulip.pem is
            missing)
        ↻ service[memcached]
            restart because
            file[/etc/memcached.conf] changes
        … service[nginx]
            known after package[nginx];
            running, enable true
        ~ sysctl[vm.overcommit_memory]
            would change (noop): live 0 → 1
        ? service[redis]
            unknown: systemd does not run here

      What is blocked:
        ! file[/srv/data]
            /srv/data is a directory, which is
            removed only with force
            help  Set force: true where the directory may go.

      What is left as it is:
        = file[/etc/motd]: /etc/motd is kept: it differs, and is made only where it is missing (replace: false)

      Plan: 2 to create, 1 to change, 1 to
      remove, 1 to run, 1 to refresh, 1 known
      later, 1 unknown, 1 would change (noop),
      1 blocked; 120 in sync. 2 guards were
      asked, read-only."
    `)
  })

  test('tells on request why nothing has to be done', () => {
    const [, reasons] = renderPlan(server, { ...plain, verbose: true }).split(
      'Why nothing has to be done:\n',
    )
    expect(reasons).toMatch(/^ {2}= exec\[reload rules\]: it runs only on a refresh\n/)
  })

  test('with nothing to do says so in a line', () => {
    expect(renderPlan(planOf([]), plain)).toBe('Nothing to do: 120 resources are in sync.')
    expect(renderPlan(planOf([], { inSync: 1, asked: 1 }), plain)).toBe(
      'Nothing to do: 1 resource is in sync. 1 guard was asked, read-only.',
    )
  })

  test('counts apart what is kept as it was edited here', () => {
    expect(renderPlan(planOf([], { edited: 2, leftAlone: 1 }), plain)).toBe(
      'Nothing to do: 120 resources are in sync, 2 kept as edited here, 1 left alone.',
    )
    expect(renderPlan({ ...server, edited: 1 }, plain)).toContain('in sync, 1 kept as edited here.')
  })

  test('says that commands are left alone where they cannot run', () => {
    expect(renderPlan(planOf([], { leftAlone: 2 }), plain)).toBe(
      'Nothing to do: 120 resources are in sync, 2 left alone.',
    )
    expect(renderPlan(planOf([], { cannotRun: 'not possible under --root' }), plain)).toBe(
      'Nothing to do: 120 resources are in sync. Packages, services and commands are left alone: not possible under --root.',
    )
  })

  test('holds no escape sequence where no colour is wanted', () => {
    expect(renderPlan(server, plain)).not.toContain('\x1b')
    expect(renderPlan(server, { ...plain, paint: coloured })).toContain('\x1b[32m+\x1b[39m')
  })

  test('of a whole server is one line for each resource', () => {
    const many = Array.from({ length: 250 }, (_, n) =>
      planned(`package[zulip-dependency-${n}]`, 'create', {
        changes: [{ attribute: 'ensure', from: 'absent', to: `1.${n}` }],
      }),
    )
    const lines = renderPlan(planOf(many), plain).split('\n')
    expect(lines).toHaveLength(252)
    expect(lines[7]).toBe('  + package[zulip-dependency-7]    1.7')
  })
})

describe('a resource', () => {
  const only = (resource: Parameters<typeof planned>, options: Partial<PlanTextOptions> = {}) =>
    renderPlan(planOf([planned(...resource)]), { ...plain, ...options }).split('\n\n')[0]

  test('tells of a long tree how much more there is, and all of it on request', () => {
    const changes = Array.from({ length: 9 }, (_, n) => ({
      attribute: `f${n}: mode`,
      from: '0600',
      to: '0644',
    }))
    expect(only(['file[/srv]', 'change', { changes }])).toMatch(/f5: mode 0600 → 0644, and 3 more$/)
    expect(only(['file[/srv]', 'change', { changes }], { verbose: true })).toContain('f8: mode')
  })

  test('tells of what is made inside a tree how much it is, and each on request', () => {
    const made = ['a', 'b'].flatMap((name) => [
      { attribute: `${name}: ensure`, from: 'absent', to: 'file' },
      { attribute: `${name}: mode`, from: undefined, to: '0644' },
    ])
    const changes = [{ attribute: 'ensure', from: 'absent', to: 'directory' }, ...made]
    expect(only(['file[/srv]', 'create', { changes }])).toMatch(/ directory, 2 new below it$/)
    expect(only(['file[/srv]', 'change', { changes: made }])).toMatch(/ 2 new below it$/)
    expect(only(['file[/srv]', 'create', { changes }], { verbose: true })).toMatch(
      / directory, a: ensure file, a: mode 0644, b: ensure file, b: mode 0644$/,
    )
  })

  test('with a long name does not push the others away', () => {
    const changes = [{ attribute: 'ensure', from: 'absent', to: 'file' }]
    const long = `file[/etc/${'long/'.repeat(9)}name]`
    const target = { attribute: 'target', from: undefined, to: '/etc/another/name/that/is/long' }
    const text = renderPlan(
      planOf([
        planned('file[/a]', 'create', { changes }),
        planned(long, 'create', { changes }),
        planned(long, 'create', { changes: [...changes, target] }),
      ]),
      { ...plain, width: 80 },
    )
    expect(text.split('\n').slice(0, 4)).toEqual([
      '  + file[/a]  file',
      `  + ${long}  file`,
      `  + ${long}`,
      '              file, target /etc/another/name/that/is/long',
    ])
  })

  test('names the diffs of several files', () => {
    const changes = [
      { ...newContent, attribute: 'a.conf: content' },
      { ...newContent, attribute: 'b.conf: content' },
    ]
    const lines = only(['file[/srv]', 'change', { changes }])?.split('\n')
    expect(lines?.filter((line) => line.trim().endsWith('content'))).toEqual([
      '      a.conf: content',
      '      b.conf: content',
    ])
  })

  test('shows no diff where none is wanted', () => {
    const changes = [newContent]
    expect(only(['file[/a]', 'change', { changes }], { showDiff: false })).toBe(
      'What was changed here and is overwritten:\n  ~ file[/a]  content +2 -1 (edited here)',
    )
  })

  test('says why a content is not shown', () => {
    const binary = { ...newContent, diff: { unshown: 'binary, 3 → 5 bytes' } }
    expect(only(['file[/a]', 'change', { changes: [binary] }])).toMatch(
      / content \(binary, 3 → 5 bytes\) \(edited here\)$/,
    )
  })

  test('shows no secret', () => {
    const changes = [{ attribute: 'content', from: SECRET, to: SECRET }]
    expect(only(['file[/a]', 'change', { changes }])).toMatch(/ content \(secret\)$/)
  })

  test('tells both what changes and by what it is restarted', () => {
    const text = only([
      'service[nginx]',
      'change',
      {
        changes: [{ attribute: 'enable', from: false, to: true }],
        refresh: { by: 'restart', from: ['file[/a]', 'file[/b]', 'file[/c]', 'file[/d]'] },
        note: 'its unit file changed since systemd read it',
      },
    ])
    expect(text).toBe(
      [
        '  ~ service[nginx]  enable false → true, restart because file[/a], file[/b] and 2 more change (its unit file changed',
        '                    since systemd read it)',
      ].join('\n'),
    )
  })

  test('with a hostile title, path or note steers no terminal', () => {
    const evil = '\x1b[2J\r\n\x9b1m\u202e'
    const resource = planned(`file[/tmp/${evil}]`, 'change', {
      because: evil,
      help: evil,
      note: evil,
      refresh: { by: 'refresh', from: [evil] },
      changes: [
        { attribute: `${evil}: content`, from: evil, to: evil, note: evil },
        { ...newContent, diff: { text: `+${evil}`, added: 1, removed: 0 } },
      ],
    })
    const plan = planOf([resource, { ...resource, action: 'blocked' }], {
      notes: [{ ref: `file[${evil}]`, note: evil }],
      cannotRun: evil,
    })
    const text = renderPlan(plan, { ...plain, verbose: true })
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u)
  })

  test('keeps words of every script in their columns', () => {
    const lines = only(
      [
        'exec[日本語]',
        'run',
        { changes: [{ attribute: 'run', from: undefined, to: 'あ '.repeat(30) }] },
      ],
      { width: 60 },
    )?.split('\n')
    expect(lines?.length).toBeGreaterThan(1)
    for (const line of lines ?? []) expect(columnsOf(line)).toBeLessThanOrEqual(60)
  })
})
