/** Makes `dist/`, what `bin/steward` runs: the bundle, and the memory that Node has once it is loaded. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build as bundle } from 'esbuild'
import { Library, type ManifestCache, siteFolder } from '../engine/load/library.ts'
import { type Manifest, valueSchemaOf } from '../engine/load/manifest.ts'
import { manifestCache } from '../engine/load/manifest-cache.ts'
import { Sources } from '../engine/load/sources.ts'
import { types } from '../engine/resources/index.ts'
import { lateImports } from './late-imports.ts'
import { makeSnapshot } from './snapshot.ts'
import { compiledValidators } from './validators.ts'

const project = join(import.meta.dirname, '..')
const dist = join(project, 'dist')
const cli = join(project, 'engine/cli')

if (!existsSync(cli)) {
  console.error(`build: ${cli} is missing; this checkout is not whole.`)
  process.exit(1)
}
// Made aside and renamed, so that a steward that starts meanwhile finds the old bundle or the new one.
const made = mkdtempSync(`${dist}.`)
process.on('exit', () => rmSync(made, { recursive: true, force: true }))
const build = sourcesHash()
const common = {
  outdir: made,
  bundle: true,
  platform: 'node',
  target: 'node24.11',
  jsx: 'automatic',
  define: {
    'process.env.NODE_ENV': '"production"',
    'process.env.STEWARD_BUILD': JSON.stringify(build),
  },
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
  logOverride: {
    // schemas/resources/package.json is the schema of a resource type, not a package's own file.
    'package.json': 'silent',
    // Where a file of the sources lies is not asked in the bundle.
    'empty-import-meta': 'silent',
  },
  metafile: true,
} as const satisfies BuildOptions
const bundles = await Promise.all([
  bundle({
    ...common,
    entryPoints: { steward: join(cli, 'start.ts'), snapshot: join(cli, 'snapshot.ts') },
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    plugins: [compiledValidators(parameterSchemas()), lateImports],
  }),
  bundle({
    ...common,
    entryPoints: { progress: join(project, 'engine/ui/progress.tsx') },
    format: 'esm',
    // Not installed: Ink asks for it only where DEV is set, and so in a file apart.
    external: ['react-devtools-core'],
    splitting: true,
    // Some packages are CommonJS and ask for Node's own modules by require.
    banner: {
      js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)",
    },
  }),
])
const inputs = bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs))
writeFileSync(join(made, 'LICENSES.txt'), bundledLicenses(inputs))
writeFileSync(join(made, 'load.cjs'), 'module.exports = (file) => import(file)\n')
keepManifests(join(made, 'manifests'))
makeSnapshot(made)
chmodSync(made, 0o755)
if (existsSync(dist)) renameSync(dist, join(made, 'replaced'))
renameSync(made, dist)
rmSync(join(dist, 'replaced'), { recursive: true, force: true })

/** A hash of everything that decides how a manifest is read. */
function sourcesHash(): string {
  const sum = createHash('sha256')
  for (const file of globSync(['engine/**/*.ts', 'schemas/**/*.json', 'package-lock.json'], {
    cwd: project,
  }).sort()) {
    sum.update(`${file}\n`).update(readFileSync(join(project, file)))
  }
  return sum.digest('hex').slice(0, 16)
}

/** Parses every shipped manifest; those that are at fault are left to `steward validate`. */
function readManifests(cache?: ManifestCache): Manifest[] {
  const library = new Library({
    folders: [siteFolder(join(project, 'manifests'))],
    types: types.keys(),
    sources: new Sources(),
    ...(cache === undefined ? {} : { cache }),
  })
  return library.names().flatMap((name) => library.read(name) ?? [])
}

/** Keeps them parsed in a folder that everybody may read, as everything else that is shipped. */
function keepManifests(folder: string): void {
  readManifests(manifestCache({ build, folders: [], writeTo: folder }))
  chmodSync(folder, 0o755)
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644)
}

/** What the parameters of the shipped manifests are checked with. */
function parameterSchemas(): object[] {
  return readManifests().flatMap(({ parameters }) => Object.values(parameters).map(valueSchemaOf))
}

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
