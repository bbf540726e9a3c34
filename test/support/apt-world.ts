import type { CommandOptions, CommandResult, Host } from '../../engine/host/host.ts'
import { type FakeFile, type FakeHost, fakeHost } from './fake-host.ts'

/** A package as an archive offers it, or as it lies on the host. */
export interface WorldPackage {
  readonly versions: readonly string[]
  readonly conflicts?: string
  /** Says why dpkg can't configure it. */
  readonly broken?: string
  readonly provides?: string
  /** What of the archive isn't there for it. */
  readonly depends?: string
}

export interface AptWorld {
  readonly host: Host & Pick<FakeHost, 'runs' | 'queries' | 'asked'>
  /** What is on the host: name to `version state`, with `held` behind it. */
  installed(): Record<string, string>
  /** The operands of each apt-get install and purge, with their verb; other commands whole. */
  acts(): string[]
}

export interface WorldOptions {
  /**
   * What the lists name before an `apt-get update`, where it isn't what
   * they name after it; `{}` is no lists at all.
   */
  readonly lists?: Readonly<Record<string, WorldPackage>>
  /** What the archive holds: what the lists name after one. */
  readonly archive?: Readonly<Record<string, WorldPackage>>
  /** Paragraphs by name: version, state, hold. */
  readonly status?: Readonly<Record<string, { version?: string; state?: string; held?: boolean }>>
  readonly files?: Readonly<Record<string, FakeFile>>
  readonly updateFails?: string
}

/**
 * A host whose apt behaves, for the little that is asked of it, as apt 2.6 of Debian 12 does: wording of
 * messages, exit codes and what goes to which stream were read off the real one.
 */
export function aptWorld(options: WorldOptions): AptWorld {
  const archive = options.archive ?? {}
  let lists = options.lists ?? archive
  const packages = new Map<
    string,
    { version: string; state: string; held: boolean; provides?: string }
  >()
  for (const [name, { version = '1.0', state = 'installed', held = false }] of Object.entries(
    options.status ?? {},
  )) {
    packages.set(name, { version, state, held })
  }
  packages.set('dpkg', { version: '1.21', state: 'installed', held: false })
  const fake = fakeHost({
    files: {
      ...(Object.keys(lists).length > 0 ? { '/var/lib/apt/lists/x_Packages.lz4': '' } : {}),
      '/var/lib/apt/lists/partial/x': '',
      ...options.files,
    },
  })
  const save = () =>
    fake.put(
      '/var/lib/dpkg/status',
      [...packages]
        .map(([name, { version, state, held, provides }]) => {
          const want = held ? 'hold' : 'install'
          const more = provides ? `Provides: ${provides}\n` : ''
          return `Package: ${name}\nStatus: ${want} ok ${state}\nArchitecture: amd64\n${more}Version: ${version}\n`
        })
        .join('\n'),
    )
  save()

  const install = (words: readonly string[], flags: readonly string[]): Partial<CommandResult> => {
    const fail = (stderr: string, stdout = '') => ({ exitCode: 100, stdout, stderr })
    const adds: { name: string; version: string; offer: WorldPackage }[] = []
    const removes: string[] = []
    for (const word of words) {
      const [name = '', version] = word.split('=')
      const offer = lists[name]
      if (word.endsWith('-')) removes.push(word.slice(0, -1))
      else if (offer === undefined) return fail(`E: Unable to locate package ${name}\n`)
      else if (offer.depends !== undefined) {
        const unmet = `The following packages have unmet dependencies:\n ${name} : Depends: ${offer.depends} but it is not installable\n`
        return fail('E: Unable to correct problems, you have held broken packages.\n', unmet)
      } else if (!archive[name]?.versions.includes(version ?? offer.versions[0] ?? '')) {
        return fail(`E: Failed to fetch http://x/${name}.deb  404  Not Found [IP: ::1 80]\n`)
      } else adds.push({ name, version: version ?? offer.versions[0] ?? '', offer })
    }
    const heldOne = adds.find(({ name }) => packages.get(name)?.held)
    if (heldOne && !flags.includes('--allow-change-held-packages')) {
      return fail(
        'E: Held packages were changed and -y was used without --allow-change-held-packages.\n',
      )
    }
    for (const name of removes) {
      const found = packages.get(name)
      if (found) packages.set(name, { ...found, state: 'config-files', held: false })
    }
    const broken = adds.filter(({ offer }) => offer.broken !== undefined)
    for (const { name, version, offer } of adds) {
      if (offer.conflicts !== undefined) packages.delete(offer.conflicts)
      packages.set(name, {
        version,
        state: offer.broken === undefined ? 'installed' : 'half-configured',
        held: packages.get(name)?.held ?? false,
        ...(offer.provides === undefined ? {} : { provides: offer.provides }),
      })
    }
    save()
    if (broken.length === 0) return { stdout: 'done\n' }
    const setUps = adds.map(({ name, version, offer }) => {
      const trouble = offer.broken
        ? `${name}: ${offer.broken}\ndpkg: error processing package ${name} (--configure):\n installed ${name} package post-installation script subprocess returned error exit status 1\n`
        : ''
      return `Setting up ${name} (${version}) ...\n${trouble}`
    })
    const list = broken.map(({ name }) => ` ${name}\n`).join('')
    return fail(
      'E: Sub-process /usr/bin/dpkg returned an error code (1)\n',
      `${setUps.join('')}Errors were encountered while processing:\n${list}`,
    )
  }

  const answer = (argv: readonly string[]): Partial<CommandResult> => {
    const words: string[] = []
    const flags: string[] = []
    for (let at = 1; at < argv.length; at++) {
      const word = argv[at] ?? ''
      if (word === '-o') flags.push(argv[++at] ?? '')
      else if (word.startsWith('--')) flags.push(word)
      else words.push(word)
    }
    const [verb = '', ...names] = words
    switch (`${argv[0]} ${verb}`.trim()) {
      case 'apt-cache policy':
        return {
          stdout: names
            .flatMap((name) => policy(name, lists[name], packages.get(name)?.version))
            .join(''),
          stderr: names
            .map((name) => (lists[name] ? '' : `N: Unable to locate package ${name}\n`))
            .join(''),
        }
      case 'apt-get update':
        if (options.updateFails !== undefined) return { exitCode: 100, stderr: options.updateFails }
        lists = archive
        return {}
      case 'apt-get install':
        if (flags.includes('--simulate')) {
          const gone = names
            .map((name) => lists[name]?.conflicts)
            .filter((name) => name !== undefined)
          const asked = names.filter((name) => name.endsWith('-')).map((name) => name.slice(0, -1))
          return { stdout: [...asked, ...gone].map((name) => `Remv ${name} [1.0]\n`).join('') }
        }
        return install(names, flags)
      case 'apt-get purge':
        for (const name of names) packages.delete(name)
        save()
        return {}
      case 'apt-mark hold':
      case 'apt-mark unhold':
        for (const name of names) {
          const found = packages.get(name)
          if (found) packages.set(name, { ...found, held: verb === 'hold' })
        }
        save()
        return {}
      case 'dpkg':
        for (const [name, found] of packages) {
          if (found.state === 'half-configured')
            packages.set(name, { ...found, state: 'installed' })
        }
        save()
        return {}
      default:
        throw new Error(`the world knows no command: ${argv.join(' ')}`)
    }
  }
  const note =
    (kind: 'runs' | 'queries') => async (argv: readonly string[], given?: CommandOptions) => {
      fake[kind].push(argv.join(' '))
      fake.asked.push({ argv, options: given ?? {} })
      return {
        argv,
        exitCode: 0,
        timedOut: false,
        stdout: '',
        stderr: '',
        durationMs: 1,
        ...answer(argv),
      }
    }
  return {
    host: { ...fake, run: note('runs'), query: note('queries') },
    installed() {
      const entries = [...packages].filter(([name]) => name !== 'dpkg')
      return Object.fromEntries(
        entries.map(([name, { version, state, held }]) => [
          name,
          `${version} ${state}${held ? ' held' : ''}`,
        ]),
      )
    },
    acts: () => fake.runs.map((run) => run.replace(/^apt-get .* (install|purge|update)\b/, '$1')),
  }
}

function policy(
  name: string,
  offer: WorldPackage | undefined,
  installed: string | undefined,
): string[] {
  if (offer === undefined) return []
  const table = offer.versions.map(
    (version) =>
      `${version === installed ? ' *** ' : '     '}${version} 500\n        500 http://x bookworm/main amd64 Packages\n`,
  )
  return [
    `${name}:\n  Installed: ${installed ?? '(none)'}\n  Candidate: ${offer.versions[0] ?? '(none)'}\n  Version table:\n${table.join('')}`,
  ]
}
