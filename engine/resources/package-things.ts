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

/**
 * Everything that an installed package brings, what it depends on
 * included; empty where the table doesn't know it.
 */
export function thingsWith(name: string): Thing[] {
  const packages = new Set([name])
  const things = new Set<Thing>()
  for (const each of packages) {
    for (const thing of thingsOf(each)) things.add(thing)
    for (const other of entryOf(each)?.brings ?? []) packages.add(other)
  }
  return [...things]
}

/** Whether the table says what a package brings, if only that it is nothing. */
export function isKnownPackage(name: string): boolean {
  return entryOf(name) !== undefined
}

/** The units that are gone when the package is. */
export function unitsOf(name: string): Thing[] {
  return (entryOf(name)?.units ?? []).map((unit): Thing => `unit:${unit}`)
}

function thingsOf(name: string): Thing[] {
  const { users = [], groups = [], paths = [], commands = [] } = entryOf(name) ?? {}
  return [
    ...users.map((user): Thing => `user:${user}`),
    ...groups.map((group): Thing => `group:${group}`),
    ...unitsOf(name),
    ...paths.map((path): Thing => `path:${path}`),
    ...commands.map((command): Thing => `command:${command}`),
  ]
}

function entryOf(name: string): PackageEntry | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined
}
