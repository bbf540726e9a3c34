import { describe, expect, test } from 'vitest'
import { result } from './catalog.ts'

const told = (conf: string) =>
  result({ conf, classes: ['zulip::profile::base'] }).diagnostics.map(
    ({ severity, message }) => `${severity}: ${message}`,
  )
/** What is said of a setting, beside what is always said. */
const saidOf = (section: string, line: string) => {
  const always = told('')
  return told(`[${section}]\n${line}\n`).filter((each) => !always.includes(each))
}

describe('a setting of Zulip 2.0', () => {
  test.each([
    ['postgresql', 'replication = yes', 'replication_primary and replication_user'],
    ['rabbitmq', 'nodename = zulip@chat', 'always zulip@localhost'],
    ['application_server', 'tornado_processes = 4', '[tornado_sharding]'],
    ['application_server', 'no_serve_uploads = true', 'nginx serves uploads'],
    ['application_server', 'message_sender_processes = 4', 'uwsgi_processes'],
    ['application_server', 'uwsgi_buffer_size = 8192', '65535'],
    ['certbot', 'auto_renew = no', 'certbot.timer'],
    ['machine', 'deploy_type = voyager', 'machine.deploy_type production'],
  ])(
    'in [%s], "%s", stops nothing, and what stands for it today is told',
    (section, line, today) => {
      const said = saidOf(section, line)
      expect(said).toHaveLength(1)
      expect(said[0]).toMatch(/^notice: /)
      expect(said[0]).toContain(today)
    },
  )
  test.each([
    ['machine', 'pgroonga = enabled'],
    ['machine', 'deploy_type = production'],
    ['memcached', 'memory = 512'],
    ['loadbalancer', 'ips = 192.0.2.7,192.0.2.8'],
  ])('in [%s], "%s", that means today what it meant is passed over', (section, line) => {
    expect(saidOf(section, line).filter((each) => each.includes('former'))).toEqual([])
  })
})
