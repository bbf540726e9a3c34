import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Whether a command is found on PATH. */
export function isInstalled(command: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)))
}
