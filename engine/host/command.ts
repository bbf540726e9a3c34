import { accessSync, constants, statSync } from 'node:fs'
import { posix } from 'node:path'
import { groupIdsOf } from './accounts.ts'
import type { Accounts, CommandOptions, CommandResult } from './host.ts'
import { start } from './process.ts'

const cleanPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const usualUmask = '022'

/** Where and how every command of one host runs. */
export interface Ground {
  /** "/" or the folder that commands are run in by chroot(1). */
  readonly root: string
  readonly accounts: Accounts
  /** Put before everything else, such as the private file system of a guard. */
  readonly wrapper?: readonly string[]
  /** setpriv(1) options on top of those that change the user. */
  readonly privileges?: readonly string[]
}

/**
 * Runs a command to its end. An exit code, a signal and a command that is not there are results, not errors.
 */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions,
  ground: Ground,
): Promise<CommandResult> {
  const refuse = (startError: string): CommandResult => ({
    argv,
    timedOut: false,
    startError,
    stdout: '',
    stderr: '',
    durationMs: 0,
  })
  const identity = identityOf(options, ground)
  if (typeof identity === 'string') return refuse(identity)
  const environment = { ...identity.environment, ...options.environment }
  const problem = findProgram(argv, options, ground, environment)
  if (problem !== undefined) return refuse(problem)
  const whole = [
    ...(ground.wrapper ?? []),
    ...(ground.root === '/' ? [] : ['chroot', ground.root]),
    ...setpriv([...identity.setpriv, ...(ground.privileges ?? [])]),
    ...placed(options, ground),
    ...argv,
  ]
  const inner = ground.root !== '/' || ground.wrapper !== undefined
  const { cwd, stdin, onLine, timeoutMs = 300_000 } = options
  return {
    argv,
    ...(await start(whole, {
      cwd: inner ? '/' : (cwd ?? '/'),
      environment,
      timeoutMs,
      endsGroup: ground.wrapper !== undefined,
      ...(stdin === undefined ? {} : { stdin }),
      ...(onLine ? { onLine } : {}),
    })),
  }
}

/**
 * Whose environment it gets, and the setpriv(1) options that make it that user; a
 * sentence where there is no such user or group.
 */
function identityOf(
  { user, group }: CommandOptions,
  { accounts }: Ground,
): { setpriv: string[]; environment: Record<string, string> } | string {
  const own = process.geteuid?.() ?? 0
  const uid = user === undefined ? own : accounts.uid(user)
  if (uid === undefined) return `there is no user "${user}"`
  const entry = accounts.users.get(accounts.userName(uid))
  const gid = group === undefined ? entry?.gid : accounts.gid(group)
  if (group !== undefined && gid === undefined) return `there is no group "${group}"`
  const name = entry?.name ?? String(uid)
  const environment = {
    PATH: cleanPath,
    LANG: 'C.UTF-8',
    HOME: entry?.home ?? '/',
    USER: name,
    LOGNAME: name,
    SHELL: entry?.shell || '/bin/sh',
  }
  if (user === undefined && group === undefined) return { setpriv: [], environment }
  if (own !== 0) {
    const change = (uid !== own && user) || (gid !== process.getegid?.() && group)
    if (change) return `only root can run a command as "${change}"`
    return { setpriv: [], environment }
  }
  const groups = entry === undefined ? [] : groupIdsOf(entry, accounts, gid)
  return {
    setpriv: [
      `--reuid=${uid}`,
      `--regid=${gid ?? uid}`,
      groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`,
    ],
    environment,
  }
}

function setpriv(options: readonly string[]): string[] {
  return options.length === 0 ? [] : ['setpriv', ...options, '--']
}

/** The umask, and the folder where the process itself can't be started in it, need a shell to set them. */
function placed({ umask, cwd }: CommandOptions, ground: Ground): string[] {
  const mask = umask ?? (process.umask() === 0o022 ? undefined : usualUmask)
  const inner = ground.root !== '/' || ground.wrapper !== undefined
  const folder = inner ? cwd : undefined
  if (mask === undefined && folder === undefined) return []
  const script = 'umask "$1" && cd -- "$2" && shift 2 && exec "$@"'
  return ['/bin/sh', '-c', script, 'sh', mask ?? usualUmask, folder ?? '.']
}

/**
 * Why the program can't be started, such as ENOENT; looked at beforehand, for behind
 * setpriv or a shell it would only be one more exit code. In a root, links may lead
 * elsewhere than from here: there it is not looked at.
 */
function findProgram(
  argv: readonly string[],
  { cwd = '/' }: CommandOptions,
  { root }: Ground,
  environment: Readonly<Record<string, string>>,
): string | undefined {
  const [name] = argv
  if (name === undefined || name === '') return 'an empty command'
  if (argv.some((part) => part.includes('\0'))) return 'an argument holds a NUL byte'
  if (root !== '/') return undefined
  if (statSync(cwd, { throwIfNoEntry: false }) === undefined) return `ENOENT: no folder ${cwd}`
  const folders = name.includes('/') ? [''] : (environment.PATH ?? cleanPath).split(':')
  let problem = 'ENOENT'
  for (const folder of folders) {
    const path = posix.resolve(cwd, folder, name)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return undefined
      problem = 'EACCES'
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EACCES') problem = 'EACCES'
    }
  }
  return problem
}
