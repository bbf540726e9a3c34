import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants, userInfo } from 'node:os'
import { Refusal } from '../diagnostics/diagnostic.ts'

const PROGRAM = '/home/zulip/deployments/current/manage.py'
/** Signals that whoever runs steward sends it, and that are for the program. */
const PASSED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const

/**
 * `steward manage`: manage.py of the current deployment as Zulip's user, with this process's terminal; gives its
 * exit status, or 128 and the number of the signal that ended it.
 */
export async function run(
  _flags: object,
  subcommand: string,
  args: readonly string[],
): Promise<number> {
  const { username } = userInfo()
  if (username !== 'root' && username !== 'zulip') {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: `manage.py runs as zulip, and ${username} can't become that`,
      help: 'run it as root, or as zulip',
    })
  }
  if (!existsSync(PROGRAM)) {
    throw new Refusal({
      severity: 'error',
      code: 'not-found',
      message: `there is no ${PROGRAM}: no deployment is current on this host`,
      help: 'steward deployments lists those that there are',
    })
  }
  // Keyboard signals reach both of one terminal, and only the program decides what they end.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, () => undefined)
  const identity = ['--reuid=zulip', '--regid=zulip', '--init-groups', '--reset-env', '--']
  const command = [PROGRAM, subcommand, ...args]
  const [program = '', ...rest] =
    username === 'zulip' ? command : ['setpriv', ...identity, ...command]
  const child = spawn(program, rest, { stdio: 'inherit' })
  for (const signal of PASSED) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) =>
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']),
    )
  })
}
