/** Makes `dist/`, what `bin/steward` runs: one bundle, split so that each command loads only what it needs. */
import {
  chmodSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { compiledValidators } from './validators.ts'

const project = join(import.meta.dirname, '..')
const dist = join(project, 'dist')
const entry = join(project, 'engine/cli/main.ts')

if (!existsSync(entry)) {
  console.error(`build: ${entry} is missing; this checkout is not whole.`)
  process.exit(1)
}
// Made aside and renamed, so that a steward that starts meanwhile finds the old bundle or the new one.
const made = mkdtempSync(`${dist}.`)
process.on('exit', () => rmSync(made, { recursive: true, force: true }))
const { metafile } = await build({
  entryPoints: [{ in: entry, out: 'main' }],
  outdir: made,
  // Flat, for engine/shipped.ts finds the project as the folder above.
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24.11',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  // Not installed: Ink asks for it only where DEV is set.
  external: ['react-devtools-core'],
  plugins: [compiledValidators],
  // Some packages are CommonJS and ask for Node's own modules by require.
  banner: {
    js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)",
  },
  minifySyntax: true,
  logLevel: 'warning',
  metafile: true,
})
writeFileSync(join(made, 'steward.js'), "import './main.js'\n")
writeFileSync(join(made, 'LICENSES.txt'), bundledLicenses(Object.keys(metafile.inputs)))
chmodSync(made, 0o755)
if (existsSync(dist)) renameSync(dist, join(made, 'replaced'))
renameSync(made, dist)
rmSync(join(dist, 'replaced'), { recursive: true, force: true })

/** The licences of the packages that the bundle holds copies of, which all ask to be kept with those. */
function bundledLicenses(inputs: readonly string[]): string {
  const folders = inputs.flatMap(
    (input) => /.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [],
  )
  return [...new Set(folders)]
    .sort()
    .map((folder) => {
      const texts = globSync('{LICENSE,LICENCE,license}*', { cwd: folder }).map((file) =>
        readFileSync(join(folder, file), 'utf8').trim(),
      )
      const { name, version, license } = JSON.parse(
        readFileSync(join(folder, 'package.json'), 'utf8'),
      ) as { name: string; version: string; license?: string }
      return [`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n')
    })
    .join(`\n\n${'-'.repeat(72)}\n\n`)
}
