import { execFileSync } from 'node:child_process'

/** What apt's lists say of a package. */
export interface ArchivePackage {
  readonly priority: string
  /** Of each dependency the first alternative, which is the one that apt would take. */
  readonly depends: readonly string[]
  readonly recommends: readonly string[]
}
/** By name, for the newest version of each. */
export type Archive = ReadonlyMap<string, ArchivePackage>

/** All that apt could install here. */
export function readArchive(): Archive {
  const text = execFileSync('apt-cache', ['dumpavail'], { encoding: 'utf8', maxBuffer: 2 ** 30 })
  const archive = new Map<string, ArchivePackage>()
  for (const paragraph of text.split('\n\n')) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? ''
    const name = field('Package')
    if (name === '') continue
    archive.set(name, {
      priority: field('Priority'),
      depends: [...firstNames(field('Pre-Depends')), ...firstNames(field('Depends'))],
      recommends: firstNames(field('Recommends')),
    })
  }
  return archive
}

/**
 * The packages themselves and all that comes along with them; virtual ones,
 * of which apt has a choice, are left out.
 */
export function closure(
  names: readonly string[],
  archive: Archive,
  { recommended }: { readonly recommended: boolean },
): Set<string> {
  const all = new Set(names.filter((name) => archive.has(name)))
  for (const name of all) {
    const { depends = [], recommends = [] } = archive.get(name) ?? {}
    for (const other of [...depends, ...(recommended ? recommends : [])]) {
      if (archive.has(other)) all.add(other)
    }
  }
  return all
}

function firstNames(list: string): string[] {
  return list
    .split(',')
    .map((item) => item.trim().replace(/[ (|:].*$/s, ''))
    .filter((name) => name !== '')
}
