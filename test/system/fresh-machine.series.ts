import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { must } from './command.ts'
import { connectRig, type TestHost } from './rig.ts'

const project = resolve(import.meta.dirname, '../..')

// The Node of the machine that runs these tests, not the project's own: its version is what is shown.
const systemNode = execFileSync('node', ['-p', 'process.execPath'], { encoding: 'utf8' }).trim()

test('a bare Debian with nothing but Node and npm runs npm ci, npm start and npm test', async () => {
  for (const npm of ['10', '11']) {
    const host = await freshMachine(npm)
    const run = (script: string): Promise<string> =>
      host.shell(`cd /root/steward; ${script}`, { timeoutMs: 1_800_000 })
    expect(await run('node --version; npm --version')).toMatch(new RegExp(`^v\\d+.*\\n${npm}\\.`))
    await run('npm ci')
    expect(await run('npm start')).toContain('package[nginx-full]')
    await run('npm test')
    await host.destroy()
  }
})

/** A bare host with a clone of the project, the machine's Node, and npm of that major version. */
async function freshMachine(npm: string): Promise<TestHost> {
  const rig = connectRig()
  const host = await rig.up(`fresh-${npm}`)
  const folder = join(rig.folder, `npm-${npm}`)
  await must(['npm', 'install', '--prefix', folder, '--no-save', `npm@${npm}`])
  await must(['git', 'clone', '--quiet', project, join(folder, 'steward')])
  await host.copyIn(systemNode, '/usr/local/bin/node')
  await host.copyIn(join(folder, 'node_modules/npm'), '/usr/local/lib/node_modules/npm')
  await host.copyIn(join(folder, 'steward'), '/root/steward')
  // npm reaches its registry, the same as this machine's, through the rig's proxy.
  const registry = (await must(['npm', 'config', 'get', 'registry'])).stdout.trim()
  await host.shell(`
    ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
    npm config set registry=${registry} proxy=${rig.proxy} https-proxy=${rig.proxy} \\
      cafile=/etc/ssl/certs/ca-certificates.crt`)
  return host
}
