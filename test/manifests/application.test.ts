import { describe, expect, test } from 'vitest'
import type { Facts } from '../../engine/facts/schema.ts'
import { exampleFacts } from '../facts/example.ts'
import { type Case, catalogOf, content, desired, find, result } from './catalog.ts'

const classes = ['zulip::app_frontend_base', 'zulip::scheduled_senders']
const ten = {
  release: { version: '10.0', major: 10, minor: 0, tree: '/home/zulip/deployments/10', node: null },
}
const made = new Map<string, ReturnType<typeof catalogOf>>()
/** An application server; each case is compiled once. */
function server(options: Case = {}) {
  const key = JSON.stringify([options, 'release' in (options.facts ?? {})])
  const catalog = made.get(key) ?? catalogOf({ classes, ...options })
  made.set(key, catalog)
  return catalog
}
const folder = '/etc/supervisor/conf.d/zulip'

/** The sections of an ini file, and the settings of each. */
function sections(text: string): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>()
  let current: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const header = /^\[(.*)\]$/.exec(line)?.[1]
    if (header !== undefined) {
      current = {}
      found.set(header, current)
    }
    const [, key, value] = /^([a-z_-]+) ?= ?(.*)$/.exec(line) ?? []
    if (key !== undefined) current[key] = value ?? ''
  }
  return found
}
const programsOf = (options: Case = {}, file = 'zulip') =>
  sections(content(server(options), `${folder}/${file}.conf`))
const names = (options: Case = {}) =>
  [...programsOf(options).keys()].map((each) => each.replace('program:', ''))
const uwsgi = (options: Case = {}) =>
  sections(content(server(options), '/etc/zulip/uwsgi.ini')).get('uwsgi') ?? {}

/** What is refreshed when something else changes. */
function refreshes() {
  const { edges, resources } = server()
  return edges.flatMap(({ from, to, refresh }) =>
    refresh === undefined ? [] : [{ from: resources[from]?.ref, to: resources[to]?.ref, refresh }],
  )
}

const queues = [
  'deferred_work',
  'digest_emails',
  'email_mirror',
  'email_senders',
  'embed_links',
  'embedded_bots',
  'missedmessage_emails',
  'missedmessage_mobile_notifications',
  'outgoing_webhooks',
  'thumbnail',
  'user_activity',
  'user_activity_interval',
]

describe('by memory', () => {
  test.each([
    [1984, 3, false],
    [3000, 3, false],
    [3001, 4, false],
    [3600, 4, false],
    [3800, 4, false],
    [3815, 4, true],
    [6000, 4, true],
    [7950, 6, true],
    [12_000, 6, true],
    [16_000, 8, true],
    [24_000, 8, true],
    [32_000, 16, true],
  ])(
    'of %i MiB uwsgi has %i processes, and a process for each queue: %s',
    (total_mb, processes, isMultiprocess) => {
      const facts = { memory: { total_mb } }
      expect(uwsgi({ facts }).processes).toBe(String(processes))
      const expected = isMultiprocess
        ? queues.map((queue) => `zulip_events_${queue}`)
        : ['zulip_events']
      expect(names({ facts }).filter((name) => name.startsWith('zulip_events'))).toEqual(expected)
      expect(programsOf({ facts }).get('group:zulip-workers')?.programs?.split(',')).toEqual(
        expected,
      )
    },
  )
  test('zulip.conf has the last word', () => {
    const conf = '[application_server]\nuwsgi_processes = 5\nqueue_workers_multiprocess = no'
    expect(uwsgi({ conf }).processes).toBe('5')
    expect(names({ conf })).toContain('zulip_events')
    const small = { memory: { total_mb: 1984 } }
    const many = '[application_server]\nqueue_workers_multiprocess = true'
    expect(names({ conf: many, facts: small })).toContain('zulip_events_thumbnail')
  })
})

describe('queue workers', () => {
  test('as threads work off every queue, and are stopped with what they started', () => {
    const worker = programsOf({ facts: { memory: { total_mb: 1984 } } }).get('program:zulip_events')
    expect(worker?.command).toBe(
      `nice -n10 /home/zulip/deployments/current/manage.py process_queue --multi_threaded ${queues.join(' ')} --skip-checks`,
    )
    expect(worker).toMatchObject({ stopasgroup: 'true', killasgroup: 'true', priority: '300' })
  })
  test('have several processes for phones and thumbnails where zulip.conf says so', () => {
    const conf = '[application_server]\nmobile_notification_shards = 4\nthumbnail_workers = 2'
    const programs = programsOf({ conf })
    expect(programs.get('program:zulip_events_missedmessage_mobile_notifications')).toMatchObject({
      command:
        'nice -n10 /home/zulip/deployments/current/manage.py process_queue --queue_name=missedmessage_mobile_notifications --skip-checks --worker_num %(process_num)s',
      numprocs: '4',
      numprocs_start: '1',
      process_name: 'zulip_events_missedmessage_mobile_notifications_shard%(process_num)s',
    })
    expect(programs.get('program:zulip_events_thumbnail')).toMatchObject({
      numprocs: '2',
      stdout_logfile: '/var/log/zulip/events_thumbnail_worker%(process_num)s.log',
    })
    expect(programs.get('group:zulip-workers')?.programs?.split(',').toSorted()).toEqual(
      queues.map((queue) => `zulip_events_${queue}`),
    )
  })
})

describe('uwsgi', () => {
  test('listens for the application alone, and can replace its processes one by one', () => {
    expect(uwsgi()).toMatchObject({
      socket: '/home/zulip/deployments/uwsgi-socket',
      'chmod-socket': '700',
      'chown-socket': 'zulip:zulip',
      'master-fifo': '/home/zulip/deployments/uwsgi-control',
      'lazy-apps': 'true',
      'buffer-size': '65535',
    })
  })
  test('gives a request as long as the release does', () => {
    expect(uwsgi().harakiri).toBe('60')
    expect(uwsgi({ facts: ten }).harakiri).toBe('55')
  })
  test('has a backlog, and the kernel one twice as long', () => {
    const kernel = (options: Case = {}) => desired(server(options), 'sysctl[net.core.somaxconn]')
    expect(uwsgi().listen).toBe('128')
    expect(kernel()).toMatchObject({ value: 256, file: '/etc/sysctl.d/40-uwsgi.conf' })
    const conf = '[application_server]\nuwsgi_listen_backlog_limit = 300'
    expect(uwsgi({ conf }).listen).toBe('300')
    expect(kernel({ conf }).value).toBe(600)
  })
  test('alone is restarted when its file changes, and not by supervisor', () => {
    const told = refreshes().filter(({ from }) => from === 'file[/etc/zulip/uwsgi.ini]')
    expect(told.map(({ to }) => to)).toEqual(['supervisor_program[zulip-django]'])
    expect(desired(server(), 'supervisor_program[zulip-django]').ensure).toBeUndefined()
  })
})

describe('the event system', () => {
  test('is one process, or one for each port of the shards', () => {
    expect(programsOf().get('program:zulip-tornado')).toMatchObject({
      command: '/home/zulip/deployments/current/manage.py runtornado 127.0.0.1:9800 --skip-checks',
      numprocs: '1',
      process_name: '%(program_name)s',
      stdout_logfile: '/var/log/zulip/tornado.log',
    })
    const conf = '[tornado_sharding]\n9800 = default\n9801 = realm1 realm2\n9802_9803 = realm3\n'
    expect(programsOf({ conf }).get('program:zulip-tornado')).toMatchObject({
      command:
        '/home/zulip/deployments/current/manage.py runtornado 127.0.0.1:98%(process_num)02d --skip-checks',
      numprocs: '4',
      numprocs_start: '0',
      process_name: 'zulip-tornado-port-98%(process_num)02d',
      stdout_logfile: '/var/log/zulip/tornado-98%(process_num)02d.log',
    })
  })
})

describe('the other programs', () => {
  test('of Zulip 10 take resumable uploads', () => {
    expect(names()).not.toContain('zulip-tus')
    const conf = '[application_server]\ntusd_server_listen = 192.0.2.2'
    expect(programsOf({ conf, facts: ten }).get('program:zulip-tus')).toMatchObject({
      command: 'nice -n5 /home/zulip/deployments/current/manage.py runtusd 192.0.2.2:9900',
      stopsignal: 'INT',
    })
    const packages = (facts: Partial<Facts>) => find(server({ facts }), 'package[libldap-common]')
    expect(packages({})).toBeUndefined()
    expect(packages(ten)).toBeDefined()
  })
  test.each([
    ['127.0.0.1', 0],
    ['localhost', 0],
    ['0.0.0.0', 1],
    ['192.0.2.2', 1],
  ])('that take uploads at %s: told where others reach it too', (address, notices) => {
    const conf = `[application_server]\ntusd_server_listen = ${address}`
    const told = (facts: Partial<Facts>) =>
      result({ classes, conf, facts }).diagnostics.filter(({ message }) =>
        message.includes(`resumable uploads listens at ${address}, port 9900`),
      )
    expect(told(ten)).toHaveLength(notices)
    expect(told({})).toEqual([])
  })
  test('render formulas, unless zulip.conf says that they do not', () => {
    const conf = '[application_server]\nkatex_server_port = 9710'
    expect(programsOf({ conf }).get('program:zulip-katex')?.command).toMatch(/ 9710$/)
    expect(names({ conf: '[application_server]\nkatex_server = false' })).not.toContain(
      'zulip-katex',
    )
  })
  test('send what is scheduled, from a file of their own, and have 30 seconds to stop', () => {
    const programs = programsOf({}, 'zulip-once')
    expect([...programs.keys()]).toEqual([
      'program:zulip_deliver_scheduled_emails',
      'program:zulip_deliver_scheduled_messages',
    ])
    for (const program of programs.values())
      expect(program).toMatchObject({ stopwaitsecs: '30', priority: '350', user: 'zulip' })
  })
  test('reach the world through the proxy, where there is one', () => {
    const environment = (conf: string) =>
      programsOf({ conf }).get('program:zulip-django')?.environment
    expect(environment('')).toBe(
      'HTTP_proxy="http://localhost:4750",HTTPS_proxy="http://localhost:4750"',
    )
    expect(environment('[http_proxy]\nhost =\n')).toBe('')
  })
  test('are not started while there is no release to run from, and that is told', () => {
    const facts = { release: undefined } as unknown as Partial<Facts>
    for (const file of ['zulip', 'zulip-once'])
      for (const [name, program] of programsOf({ facts }, file))
        if (name.startsWith('program:')) expect(program.autostart).toBe('false')
    const { diagnostics } = result({ classes, facts })
    expect(diagnostics.map(({ message }) => message).join('\n')).toContain('stay stopped')
    for (const [name, program] of programsOf())
      if (name.startsWith('program:')) expect(program.autostart).toBe('true')
  })
})

describe('supervisor', () => {
  const configuration = (options: Case = {}) =>
    sections(content(server(options), '/etc/supervisor/supervisord.conf'))
  test('is spoken to over a socket of zulip, and gives its programs many files', () => {
    expect(configuration().get('unix_http_server')).toMatchObject({
      chown: 'zulip:zulip',
      chmod: '0700',
    })
    expect(configuration().get('supervisord')?.minfds).toBe('40000')
    const conf = '[application_server]\nservice_file_descriptor_limit = 50000'
    expect(configuration({ conf }).get('supervisord')?.minfds).toBe('50000')
  })
  test('restarts for its own configuration, and only updates for programs', () => {
    const told = refreshes()
      .filter(({ to }) => to === 'service[supervisor]')
      .map(({ from, refresh }) => [from, refresh])
    expect(told).toContainEqual(['file[/etc/supervisor/supervisord.conf]', 'restart'])
    expect(told).toContainEqual([`file[${folder}/zulip.conf]`, 'reload'])
    expect(told).toContainEqual([`file[${folder}]`, 'reload'])
    expect(desired(server(), 'service[supervisor]').reload).toEqual(['supervisorctl', 'update'])
  })
  test('is left alone in a container, and programs stay where somebody wants them to', () => {
    const site = { 'zulip::supervisor': { is_service: false, purge_programs: false } }
    const catalog = server({ site })
    expect(find(catalog, 'service[supervisor]')).toBeUndefined()
    expect(find(catalog, 'supervisor_program[zulip-django]')).toBeUndefined()
    expect(desired(catalog, `file[${folder}]`).purge).toBe(false)
    expect(desired(server(), `file[${folder}]`).purge).toBe(true)
  })
})

describe('values that make no sense', () => {
  test.each([
    'uwsgi_processes = 0',
    'uwsgi_processes = many',
    'uwsgi_listen_backlog_limit = -1',
    'thumbnail_workers = 0',
    'katex_server_port = 80',
    'service_file_descriptor_limit = 10',
    'tusd_server_listen = a b',
    // Zulip's program hands it on to tusd without its brackets, and tusd doesn't start.
    'tusd_server_listen = [::1]',
    'tusd_server_listen = ::1',
  ])('are refused: %s', (line) => {
    const { catalog, diagnostics } = result({
      classes,
      facts: ten,
      conf: `[application_server]\n${line}`,
    })
    expect(catalog).toBeUndefined()
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toHaveLength(1)
  })
})

test.each([
  ['22.04', { id: 'ubuntu', version: '22.04', name: 'Ubuntu 22.04' }],
  ['24.04', { id: 'ubuntu', version: '24.04', name: 'Ubuntu 24.04' }],
])('it all compiles on Ubuntu %s, for both releases', (_version, os) => {
  for (const facts of [{}, ten]) {
    const catalog = server({ facts: { os: { ...exampleFacts.os, ...os }, ...facts } })
    expect(catalog.dropped).toEqual([])
  }
})

describe('logs', () => {
  test('of requests are kept for as many days as those of nginx', () => {
    const conf = '[application_server]\naccess_log_retention_days = 30'
    const blocks = content(server({ conf }), '/etc/logrotate.d/zulip').split('}\n')
    const about = (log: string) =>
      blocks.find((block) => block.includes(`/var/log/zulip/${log}.log`))
    expect(about('server')).toMatch(/daily\n\s+rotate 30\n/)
    expect(about('tornado')).toMatch(/daily\n\s+rotate 30\n[^}]*copytruncate/)
    expect(about('errors')).toMatch(/size 25M\n\s+rotate 3\n/)
  })
})
