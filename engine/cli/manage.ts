import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { handOver } from '../host/hand-over.ts'

const PROGRAM = '/home/zulip/deployments/current/manage.py'
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
  const identity = ['--reuid=zulip', '--regid=zulip', '--init-groups', '--reset-env', '--']
  const command = [PROGRAM, subcommand, ...args]
  return handOver(username === 'zulip' ? command : ['setpriv', ...identity, ...command])
}
