import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { must } from './command.ts'

const project = resolve(import.meta.dirname, '../..')

/** Makes a fresh archive for administrators; gives its path. */
export async function buildArchive(): Promise<string> {
  await must(['npm', 'run', 'dist'], { cwd: project })
  const archive = join(project, `steward-${manifest.version}-linux-${process.arch}.tar.gz`)
  if (!existsSync(archive)) throw new Error(`npm run dist made no ${archive}`)
  return archive
}
