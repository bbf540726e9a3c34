import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { factsFromText } from '../../engine/facts/file.ts'
import { readFacts } from '../../engine/facts/index.ts'
import { factsSchema } from '../../engine/facts/schema.ts'
import { HostError } from '../../engine/host/error.ts'
import { localHost } from '../../engine/host/local.ts'
import { fakeHost } from '../support/fake-host.ts'
import { exampleFacts } from './example.ts'

const said = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8' }).trim()

describe('readFacts', () => {
  test('agrees with the tools of this machine', async () => {
    const machine = localHost()
    const { facts, diagnostics } = await readFacts(machine, { machine })
    expect(diagnostics).toEqual([])
    expect(facts.kernel).toEqual({ name: said('uname', '-s'), release: said('uname', '-r') })
    expect(facts.architecture).toBe(said('dpkg', '--print-architecture'))
    expect(facts.processors.count).toBe(Number(said('getconf', '_NPROCESSORS_ONLN')))
    expect(facts.hostname).toBe(said('uname', '-n').split('.')[0])
    expect(facts.mounts.map(({ path }) => path)).toContain('/')
    for (const { path, size_mb } of facts.mounts.filter(({ path }) => path === '/')) {
      const kib = Number(said('df', '-k', '--output=size', path).split('\n')[1])
      expect(size_mb).toBe(Math.floor(kib / 1024))
    }
  })

  test('gives what factsSchema tells, name by name and type by type', async () => {
    const machine = localHost()
    const { facts } = await readFacts(machine, { machine })
    expect(Object.keys(facts).sort()).toEqual(Object.keys(factsSchema).sort())
    // The facts of the example are overwritten one and all: what is left out would show.
    expect(await factsFromText(JSON.stringify(facts), 'facts.json', exampleFacts)).toEqual({
      facts: { ...facts, site: exampleFacts.site },
    })
  })

  test('takes the system of a tree from the tree, and the machine from the machine', async () => {
    const root = mkdtempSync('/tmp/facts-')
    mkdirSync(join(root, 'etc'))
    writeFileSync(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID="13"\n')
    const machine = localHost()
    const { facts } = await readFacts(localHost({ root }), { machine })
    rmSync(root, { recursive: true })
    expect(facts.os.version).toBe('13')
    expect(facts.init).toBe('other')
    expect(facts.memory.total_mb).toBeGreaterThan(100)
  })

  test('starts no process and reports mistakes in site facts beside the facts', async () => {
    const host = fakeHost({
      files: { '/etc/steward/facts.d/a.json': '{"a": null, "b": 1}' },
      hasSystemd: true,
    })
    const options = { machine: host, siteFolder: '/etc/steward/facts.d' }
    const { facts, diagnostics } = await readFacts(host, options)
    expect(facts.site).toEqual({ b: 1 })
    expect(facts.init).toBe('systemd')
    expect(diagnostics).toMatchObject([{ code: 'fact-file' }])
    expect(host.queries).toEqual([])
  })

  test('tells that the release is unknown to a user who may not look', async () => {
    const host = fakeHost({ files: { '/home/zulip/x': '' } })
    const stat = (path: string) => {
      if (path.startsWith('/home/zulip')) throw new HostError('EACCES', path)
      return host.stat(path)
    }
    const { facts, diagnostics } = await readFacts({ ...host, stat }, { machine: host })
    expect(facts.release).toBeNull()
    expect(diagnostics).toMatchObject([{ severity: 'warning', code: 'no-permission' }])
  })
})
