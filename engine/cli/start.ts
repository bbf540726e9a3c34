import { readdirSync, rmdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

/**
 * The bundle's first file. Beside the bundle lies its code as V8 compiled it when it was made
 * (scripts/compile-cache.ts), which is used where this machine can. Nothing is ever added to it: a dry run must
 * change nothing, and Node would write what is missing when it ends.
 */
const folder = join(import.meta.dirname, 'cache')
const compiled = existing(folder)
if (compiled.length > 0) {
  enableCompileCache({ directory: folder, portable: true })
  // Node makes a folder of its own for another processor or version; without it, it writes nothing.
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
