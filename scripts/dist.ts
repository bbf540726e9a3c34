/**
 * `npm run dist`: makes `steward-VERSION-linux-ARCH.tar.gz`, what administrators install with `tar -C / -xzf`:
 * /usr/lib/steward with the pinned Node in it, and a link to each command in /usr/bin. The same sources
 * give the same bytes, but for the snapshot: names are sorted, owners and times fixed.
 */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import project from '../package.json' with { type: 'json' }

const home = join(import.meta.dirname, '..')
const [runtime] = globSync('node_modules/node-linux-*/bin/node', { cwd: home })
if (runtime === undefined) {
  console.error('dist: the pinned Node is missing; run "npm ci" first.')
  process.exit(1)
}
const architecture = runtime.split('/')[1]?.replace('node-linux-', '')
const archive = join(home, `steward-${project.version}-linux-${architecture}.tar.gz`)

execFileSync(process.execPath, [join(home, 'scripts/build.ts')], { stdio: 'inherit' })

const staged = mkdtempSync(join(tmpdir(), 'steward-dist-'))
process.on('exit', () => rmSync(staged, { recursive: true, force: true }))
const installed = join(staged, 'usr/lib/steward')
mkdirSync(join(installed, 'runtime'), { recursive: true })
for (const name of ['bin', 'dist', 'manifests', 'templates', 'schemas', 'LICENSE']) {
  if (existsSync(join(home, name)))
    cpSync(join(home, name), join(installed, name), { recursive: true, verbatimSymlinks: true })
}
const { name, version, license, type } = project
writeFileSync(
  join(installed, 'package.json'),
  `${JSON.stringify({ name, version, license, type })}\n`,
)
cpSync(join(home, runtime), join(installed, 'runtime/node'))
cpSync(join(home, runtime, '../../LICENSE'), join(installed, 'runtime/LICENSE'))
mkdirSync(join(staged, 'usr/bin'))
for (const [command, path] of Object.entries(project.bin)) {
  symlinkSync(join('../lib/steward', path), join(staged, 'usr/bin', command))
}

const sameBytes =
  '--sort=name --mtime=2026-01-01T00:00:00Z --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=gnu'
execFileSync('tar', [
  '--create',
  `--file=${archive}`,
  `--directory=${staged}`,
  '--use-compress-program=gzip -n',
  ...sameBytes.split(' '),
  'usr/lib/steward',
  ...Object.keys(project.bin).map((command) => `usr/bin/${command}`),
])
const megabytes = (path: string) => (statSync(path).size / 1e6).toFixed(1)
console.log(`${basename(archive)}: ${megabytes(archive)} MB`)
