import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../compile/road.ts'
import { catalogOf, content, desired } from './catalog.ts'

const catalog = catalogOf({ classes: ['zulip::voyager'] })
const checkOf = (path: string) => desired(catalog, `file[${path}]`).validate as readonly string[]

/** What the real checker of a file ends with when it is given this text in place of ours. */
function ask(path: string, text: string): number | null {
  const candidate = join(temporaryFolder(), 'candidate')
  writeFileSync(candidate, text)
  const [program = '', ...args] = checkOf(path).map((part) => part.replace('%', candidate))
  return spawnSync(program, args, { stdio: 'ignore' }).status
}

describe('before it is put in place', () => {
  test('each file of logrotate, supervisor and apt goes before the real checker', () => {
    const paths = catalog.resources
      .filter(
        ({ type, desired }) => type === 'file' && ('content' in desired || 'template' in desired),
      )
      .map(({ title }) => title)
      .filter((path) => /^\/etc\/(logrotate\.d|supervisor|apt\/apt\.conf\.d|sudoers)/.test(path))
    expect(paths.length).toBeGreaterThan(5)
    for (const path of paths)
      expect({ path, check: checkOf(path) }).not.toHaveProperty('check', undefined)
  })

  const apt = '/etc/apt/apt.conf.d/52zulip-unattended-upgrades'
  const hasApt = spawnSync('apt-config', ['--version']).error === undefined
  test.skipIf(!hasApt)(
    'apt takes ours and no broken one (skipped where there is no apt-config)',
    () => {
      expect(ask(apt, content(catalog, apt))).toBe(0)
      expect(ask(apt, `${content(catalog, apt)}More { "a"\n`)).not.toBe(0)
    },
  )
})

describe('before they are restarted', () => {
  test.each(['redis-server.service', 'supervisor.service', 'epmd.socket'])(
    'systemd is asked about what we add to %s',
    (unit) => {
      const name = unit.replace('.service', '')
      expect(desired(catalog, `service[${name}]`).check).toEqual([
        'sh',
        '-c',
        expect.any(String),
        'sh',
        unit,
      ])
    },
  )
})
