import table from '../../manifests/packages/debian-12.json' with { type: 'json' }
import type { Thing } from './type.ts'

/** What one package brings, as the table has it; names are sorted. */
export interface PackageEntry {
  readonly users?: readonly string[]
  readonly groups?: readonly string[]
  /** With their suffix; a template is `name@.service`. */
  readonly units?: readonly string[]
  /** Folders, and the files below /etc. */
  readonly paths?: readonly string[]
  /** Base names in the usual folders for commands. */
  readonly commands?: readonly string[]
  /** Packages of the table that come along as dependencies or recommendations. */
  readonly brings?: readonly string[]
}

const entries: Readonly<Record<string, PackageEntry>> = table.packages

/** Everything that a package brings, what it depends on included; empty where the table doesn't know it. */
export function packageThings(name: string): Thing[] {
  const packages = new Set([name])
  const things = new Set<Thing>()
  for (const each of packages) {
    const entry = Object.hasOwn(entries, each) ? entries[each] : undefined
    if (entry === undefined) continue
    if (each !== name) things.add(`package:${each}`)
    for (const user of entry.users ?? []) things.add(`user:${user}`)
    for (const group of entry.groups ?? []) things.add(`group:${group}`)
    for (const unit of entry.units ?? []) things.add(`unit:${unit}`)
    for (const path of entry.paths ?? []) things.add(`path:${path}`)
    for (const command of entry.commands ?? []) things.add(`command:${command}`)
    for (const other of entry.brings ?? []) packages.add(other)
  }
  return [...things]
}
