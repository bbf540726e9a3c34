import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { constants, homedir, tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { type CommandOptions, type CommandResult, command, must } from './command.ts'
import { tryLock, withLock } from './lock.ts'

export interface UpOptions {
  /** An image's name; "base" when absent. */
  readonly image?: string
  /** A limit such as "2G", which /proc/meminfo shows too. */
  readonly memory?: string
  /** Fully qualified; NAME.test when absent. */
  readonly hostname?: string
}

/** A running Debian host with its own systemd, network and files. */
export interface TestHost {
  readonly name: string
  /** Runs a command as root with a clean environment; any exit status is a result. */
  exec(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /** The same through `sh -c`, and it must succeed; gives its stdout. */
  shell(script: string, options?: CommandOptions): Promise<string>
  /** The command that runs `argv` in the host, for those who start it themselves (strace). */
  execArgv(argv: readonly string[]): string[]
  /** Copies a file or a tree of this machine; owner and mode are kept. */
  copyIn(from: string, to: string): Promise<void>
  copyOut(from: string, to: string): Promise<void>
  writeFile(path: string, content: string): Promise<void>
  /** Power cut: everything in the host ends at once. */
  cutPower(): Promise<void>
  /** Boots it again from its own disk. */
  start(): Promise<void>
  /** Shuts the host down; its disk becomes the image, which lives as long as the rig. */
  freeze(image: string): Promise<void>
  destroy(): Promise<void>
}

/** Hosts that share a switch, a proxy for apt and npm, and a folder for their disks. */
export interface Rig {
  readonly folder: string
  /** The file tree of the base image, as debootstrap made it: only to be read. */
  readonly baseTree: string
  /** The URL, as hosts see it, of the proxy for apt and npm. */
  readonly proxy: string
  up(name: string, options?: UpOptions): Promise<TestHost>
  /** Makes an image from a host once, however many ask at the same time; gives its name. */
  image(
    name: string,
    make: (temporary: TestHost) => Promise<void>,
    options?: UpOptions,
  ): Promise<string>
  /** Ends every host and everything else that the rig started, and removes its folder. */
  destroy(): Promise<void>
}

const script = join(import.meta.dirname, 'hosts.sh')
const project = resolve(import.meta.dirname, '../..')

// What the rig owns, and what all rigs of this user share.
const folder = process.env.RIG ?? join(tmpdir(), `steward-rig-${hash(project)}`)
const cache = process.env.STEWARD_TEST_CACHE ?? join(homedir(), '.cache', 'steward-test-hosts')
export const rigEnvironment = {
  RIG: folder,
  IMAGES: join(cache, 'images'),
  CACHE: join(cache, 'packages'),
  NODE: process.execPath,
}

/**
 * Starts a rig, after whatever an earlier run left was removed, and ends it with all its hosts, also
 * after a failure or a signal. Throws when another process has this rig.
 */
export async function withRig<T>(body: (rig: Rig) => Promise<T>): Promise<T> {
  mkdirSync(cache, { recursive: true })
  const release = await tryLock(join(cache, `${basename(folder)}.lock`))
  if (release === undefined)
    throw new Error(`another run uses ${folder}; wait for its end, or set RIG to another folder`)
  const rig = connectRig()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(
      signal,
      () => void rig.destroy().finally(() => process.exit(128 + constants.signals[signal])),
    )
  }
  await rig.destroy()
  try {
    await hosts(['create-base', baseImage()])
    await hosts(['net', 'proxy', 'up'])
    return await body(rig)
  } finally {
    await rig.destroy()
    release()
  }
}

/** The rig that `withRig` started, maybe in another process. */
export function connectRig(): Rig {
  const up = async (name: string, options: UpOptions = {}): Promise<TestHost> => {
    await hosts(['destroy', name])
    const image = options.image ?? 'base'
    await hosts([
      'up',
      name,
      '--image',
      image === 'base' ? baseImage() : image,
      ...(options.memory === undefined ? [] : ['--mem', options.memory]),
      ...(options.hostname === undefined ? [] : ['--name', options.hostname]),
    ])
    return testHost(name)
  }
  return {
    folder,
    proxy: 'http://10.77.0.1:3142',
    baseTree: join(rigEnvironment.IMAGES, baseImage(), 'fs'),
    up,
    async image(name, make, options) {
      await withLock(join(folder, `${name}.lock`), async () => {
        if (existsSync(join(folder, 'images', name))) return
        const host = await up(`make-${name}`, options)
        try {
          await make(host)
          await host.freeze(name)
        } finally {
          await host.destroy()
        }
      })
      return name
    },
    destroy: async () => void (await hosts(['destroy'])),
  }
}

function testHost(name: string): TestHost {
  const execArgv = (argv: readonly string[]): string[] => ['bash', script, 'exec', name, ...argv]
  const run = (argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    command(execArgv(argv), { ...options, env: { ...rigEnvironment, ...options.env } })
  return {
    name,
    exec: run,
    execArgv,
    async shell(text, options) {
      const { stdout } = await must(execArgv(['sh', '-ec', text]), {
        ...options,
        env: rigEnvironment,
      })
      return stdout
    },
    copyIn: async (from, to) => void (await hosts(['copy-in', name, from, to])),
    copyOut: async (from, to) => void (await hosts(['copy-out', name, from, to])),
    async writeFile(path, content) {
      const argv = ['sh', '-ec', 'mkdir -p "$(dirname "$1")"; cat >"$1"', 'sh', path]
      await must(execArgv(argv), { stdin: content, env: rigEnvironment })
    },
    cutPower: async () => void (await hosts(['kill', name])),
    start: async () => void (await hosts(['start', name])),
    freeze: async (image) => void (await hosts(['freeze', name, image])),
    destroy: async () => void (await hosts(['destroy', name])),
  }
}

function hosts(args: readonly string[]): Promise<CommandResult> {
  return must(['bash', script, ...args], { env: rigEnvironment })
}

/** Another recipe is another image, so that a cached one is never out of date. */
function baseImage(): string {
  const text = readFileSync(script, 'utf8')
  const recipe = text.slice(text.indexOf('\ncreate_base() {'), text.indexOf('\nup() {'))
  const suite = process.env.SUITE ?? 'bookworm'
  return `base-${suite}-${hash(recipe)}`
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
