import { closeSync, openSync, readdirSync, rmdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

/**
 * The bundle's first file. Beside the bundle lies its code as V8 compiled it when it was made
 * (scripts/compile-cache.ts), which is used where this machine can. Node would write what it
 * misses there when it ends, and a dry run must change nothing: so Node gets to the folder only
 * through a descriptor, which is closed before.
 */
const folder = join(import.meta.dirname, 'cache')
const compiled = existing(folder)
if (compiled.length > 0) {
  const descriptor = openSync(folder, 'r')
  enableCompileCache(`/proc/self/fd/${descriptor}`)
  process.on('exit', () => closeSync(descriptor))
  // Node makes a folder of its own for another processor or version.
  for (const name of existing(folder)) if (!compiled.includes(name)) rmdirSync(join(folder, name))
}
await import('./main.ts')

function existing(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
