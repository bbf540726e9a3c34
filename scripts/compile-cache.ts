import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** As in bin/steward: V8 takes only what was compiled under the same. */
const flags = ['--min-semi-space-size=2', '--max-semi-space-size=2']

/**
 * Stores the bundle as V8 compiles it, in the folder `cache` of the bundle. First a dry run of the shipped
 * example, so that what every run needs is compiled to its functions, then all the rest, run or not. The
 * bundle must already be where it is to stay.
 */
export function fillCompileCache(bundle: string): void {
  const scratch = mkdtempSync(join(tmpdir(), 'steward-build-'))
  const environment = {
    ...process.env,
    NODE_COMPILE_CACHE: join(bundle, 'cache'),
  }
  const run = (...argv: string[]) =>
    spawnSync(process.execPath, [...flags, ...argv], {
      env: environment,
      stdio: 'ignore',
      cwd: scratch,
    })
  const names = readdirSync(bundle).filter((name) => name.endsWith('.js'))
  run(join(bundle, 'steward.js'), 'apply', '--dry-run', '--root', scratch)
  // By itself a file only declares what it holds. Some can't even do that without what is not
  // installed, and are compiled all the same.
  const others = names.filter((name) => name !== 'steward.js' && !name.startsWith('main-'))
  for (const name of others) run(join(bundle, name))
  rmSync(scratch, { recursive: true })
  const stored = readdirSync(join(bundle, 'cache'), { recursive: true, withFileTypes: true })
  if (stored.filter((entry) => entry.isFile()).length !== names.length) {
    throw new Error('Not every file of the bundle was compiled.')
  }
}
