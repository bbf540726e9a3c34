import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { readMaintainerScript } from './maintainer-script.ts'

/** What a .deb file brings. Paths are absolute; lists may repeat a name. */
export interface PackageContents {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  readonly units: readonly string[]
  readonly folders: readonly string[]
  /** Files below /etc. */
  readonly configuration: readonly string[]
  readonly commands: readonly string[]
}

const nothing: PackageContents = {
  users: [],
  groups: [],
  units: [],
  folders: [],
  configuration: [],
  commands: [],
}

/**
 * Reads its list of files, its scripts, its units, and what it has for systemd-sysusers and systemd-tmpfiles.
 */
export function readPackage(file: string | undefined): PackageContents {
  if (file === undefined) return nothing
  const paths = contentsOf(file)
  const folder = mkdtempSync(join(tmpdir(), 'debian-package-'))
  try {
    execFileSync('dpkg-deb', ['--raw-extract', file, folder])
    const scripts = ['preinst', 'postinst']
      .map((name) => join(folder, 'DEBIAN', name))
      .filter(existsSync)
      .map((path) => readMaintainerScript(readFileSync(path, 'latin1')))
    const sysusers = linesOf(folder, 'usr/lib/sysusers.d')
    const tmpfiles = linesOf(folder, 'usr/lib/tmpfiles.d')
    const users = sysusers.filter(([kind]) => kind === 'u').map(([, name = '']) => name)
    const groups = sysusers.filter(([kind]) => kind === 'g').map(([, name = '']) => name)
    return {
      users: [...scripts.flatMap((script) => script.users), ...users],
      groups: [...scripts.flatMap((script) => script.groups), ...users, ...groups],
      units: unitsOf(folder),
      folders: [
        ...paths.filter(({ kind }) => kind === 'd').map(({ path }) => path),
        // What a script makes below /run is gone at the next boot.
        ...scripts
          .flatMap((script) => script.directories)
          .filter((path) => !/^(\/var)?\/run\//.test(path)),
        ...tmpfiles.filter(([kind]) => /^[dD]/.test(kind ?? '')).map(([, path = '']) => path),
      ].map((path) => path.replace(/^\/var\/run(?=\/)/, '/run').replace(/(?<=.)\/$/, '')),
      configuration: paths
        .filter(({ kind, path }) => kind !== 'd' && path.startsWith('/etc/'))
        .map(({ path }) => path),
      commands: [
        ...paths
          .filter(({ kind, path }) => kind !== 'd' && /^\/(usr\/)?s?bin\/[^/]+$/.test(path))
          .map(({ path }) => basename(path)),
        ...scripts.flatMap((script) => script.commands),
      ],
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** `kind` is the first letter that ls -l shows. */
function contentsOf(file: string): { kind: string; path: string }[] {
  const text = execFileSync('dpkg-deb', ['--contents', file], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  })
  return [...text.matchAll(/^(.)\S+ \S+ +\d+ \S+ \S+ \.(\/[^\n]*?)(?: (?:->|link to) .*)?$/gm)].map(
    ([, kind = '', path = '']) => ({ kind, path: path === '/' ? path : path.replace(/\/$/, '') }),
  )
}

/** Unit files, the names that links and `Alias=` give them, and the init scripts that have no unit. */
function unitsOf(folder: string): string[] {
  const units = new Set<string>()
  for (const place of ['lib/systemd/system', 'usr/lib/systemd/system']) {
    const path = join(folder, place)
    if (!existsSync(path)) continue
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (!/\.(service|socket|timer|path|mount|target)$/.test(entry.name)) continue
      units.add(entry.name)
      if (!entry.isFile()) continue
      const text = readFileSync(join(path, entry.name), 'utf8')
      for (const [, aliases = ''] of text.matchAll(/^Alias=(.*)$/gm)) {
        for (const alias of aliases.split(/\s+/)) if (alias !== '') units.add(alias)
      }
    }
  }
  const scripts = join(folder, 'etc/init.d')
  for (const name of existsSync(scripts) ? readdirSync(scripts) : []) units.add(`${name}.service`)
  return [...units]
}

/** The words of each line of the .conf files in a folder of the package. */
function linesOf(folder: string, place: string): string[][] {
  const path = join(folder, place)
  if (!existsSync(path)) return []
  return readdirSync(path)
    .filter((name) => name.endsWith('.conf'))
    .flatMap((name) => readFileSync(join(path, name), 'utf8').split('\n'))
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split(/\s+/))
}
