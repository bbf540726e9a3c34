import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseDpkgStatus, readDpkgStatus } from '../../engine/resources/dpkg-status.ts'
import { fakeHost } from '../support/fake-host.ts'

const paragraph = (name: string, status: string, more = '') =>
  `Package: ${name}\nStatus: ${status}\nPriority: optional\nArchitecture: amd64\n${more}Version: 1.0-1\nDescription: x\n Status: not a field\n .\n Version: nor this\n`
const dpkg = paragraph('dpkg', 'install ok installed')
const status = [
  dpkg,
  paragraph('cron', 'hold ok installed', 'Provides: cron-daemon, crontab (= 1.0)\n'),
  paragraph('ntp', 'deinstall ok config-files'),
  paragraph('libc6', 'install ok installed').replace('amd64', 'i386'),
  paragraph('adduser', 'install ok installed').replace('amd64', 'all'),
].join('\n')

describe('readDpkgStatus', () => {
  const read = (files: Record<string, string>) => readDpkgStatus(fakeHost({ files }))

  test('finds a package with its state, version and hold', () => {
    const found = read({ '/var/lib/dpkg/status': status })
    expect(found.find('cron')).toMatchObject({ version: '1.0-1', state: 'installed', held: true })
    expect(found.find('ntp')).toMatchObject({ state: 'config-files', held: false })
    expect(found.find('nginx')).toBeUndefined()
    expect(found.interrupted).toBe(false)
  })
  test('takes a plain name for one of the own architecture or of all', () => {
    const found = read({ '/var/lib/dpkg/status': status })
    expect(found.find('libc6')).toBeUndefined()
    expect(found.find('libc6:i386')).toMatchObject({ architecture: 'i386' })
    expect(found.find('adduser')).toBeDefined()
    expect(found.find('adduser:amd64')).toBeDefined()
  })
  test('knows who provides a virtual package', () => {
    const found = read({ '/var/lib/dpkg/status': status })
    expect(found.provider('crontab')?.name).toBe('cron')
    expect(found.provider('cron')).toBeUndefined()
  })
  test('lays the journal of an interrupted dpkg over the status file', () => {
    const found = read({
      '/var/lib/dpkg/status': status,
      '/var/lib/dpkg/updates/0000': paragraph('jq', 'install ok unpacked'),
      '/var/lib/dpkg/updates/0001': paragraph('jq', 'install ok half-configured'),
      '/var/lib/dpkg/updates/tmp.i': 'Package: half writ',
    })
    expect(found.find('jq')?.state).toBe('half-configured')
    expect(found.interrupted).toBe(true)
  })
  test.each(['unpacked', 'half-configured', 'half-installed'])(
    'says that %s is unfinished',
    (state) => {
      const unfinished = `${dpkg}\n${paragraph('jq', `install reinstreq ${state}`)}`
      expect(read({ '/var/lib/dpkg/status': unfinished }).interrupted).toBe(true)
    },
  )
  test('finds nothing where there is no dpkg', () => {
    expect(read({}).find('cron')).toBeUndefined()
  })
})

describe('parseDpkgStatus', () => {
  const file = '/var/lib/dpkg/status'
  test.skipIf(!existsSync(file))(
    'reads what dpkg-query says (skipped where there is no dpkg)',
    () => {
      const format = '${Package} ${Architecture} ${Version} ${Status} ${Provides}\n'
      const theirs = execFileSync('dpkg-query', ['--show', `--showformat=${format}`], {
        encoding: 'utf8',
      })
      const ours = parseDpkgStatus(readFileSync(file, 'utf8'))
      const expected = theirs
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' '))
        .map(([name, architecture, version, want, , state, ...provides]) => ({
          name,
          architecture,
          version,
          state,
          held: want === 'hold',
          provides: provides
            .join(' ')
            .split(', ')
            .map((item) => item.replace(/ .*/, ''))
            .filter((item) => item !== ''),
        }))
      const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
        String(a.name).localeCompare(String(b.name))
      expect(expected.length).toBeGreaterThan(50)
      expect(ours.toSorted(byName)).toEqual(expected.toSorted(byName))
    },
  )
})
