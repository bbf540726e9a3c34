import type { Host } from '../host/host.ts'
import { accountFiles } from './account-files.ts'
import type { AccountTools, UserValues } from './account-values.ts'
import { mustRun } from './must-run.ts'

/**
 * shadow's own commands on the machine and in a root that has them; else the files of the tree.
 * Throws `ApplyError`, speaking for `ref`.
 */
export function accountTools(ref: string, host: Host): AccountTools {
  const isThere = host.root === '/' || host.stat('/usr/sbin/useradd') !== undefined
  const canRun = host.cannotRun === undefined && isThere
  return canRun ? accountCommands(ref, host) : accountFiles(ref, host)
}

/** Source: useradd(8), usermod(8), userdel(8), groupadd(8), groupmod(8), gpasswd(1), groupdel(8). */
function accountCommands(ref: string, host: Host): AccountTools {
  const run = async (...argv: string[]) => {
    await mustRun(host, ref, argv)
  }
  return {
    addUser(name, values, { system, home }) {
      // useradd would refuse to make the user's own group where one of that name is there.
      const own = host.accounts().groups.has(name) ? ['--gid', name] : ['--user-group']
      const group = values.gid === undefined ? own : ['--gid', String(values.gid)]
      const create = home ? '--create-home' : '--no-create-home'
      const flags = [...group, create, ...(system ? ['--system'] : [])]
      return run('useradd', ...flags, ...option('--home-dir', values.home), ...common(values), name)
    },
    changeUser(name, values, { moveHome }) {
      const home = option('--home', values.home)
      const move = values.home !== undefined && moveHome ? ['--move-home'] : []
      const append = values.groups?.membership === 'minimum' ? ['--append'] : []
      const gid = option('--gid', values.gid)
      return run('usermod', ...gid, ...home, ...move, ...append, ...common(values), name)
    },
    removeUser: (name) => run('userdel', name),
    addGroup: (name, { gid, system }) =>
      run('groupadd', ...option('--gid', gid), ...(system ? ['--system'] : []), name),
    changeGroup: (name, gid) => run('groupmod', '--gid', String(gid), name),
    setMembers: (name, members) => run('gpasswd', '--members', members.join(','), name),
    removeGroup: (name) => run('groupdel', name),
  }
}

function common({ uid, comment, shell, groups }: UserValues): string[] {
  return [
    ...option('--uid', uid),
    ...option('--comment', comment),
    ...option('--shell', shell),
    ...option('--groups', groups?.names.join(',')),
  ]
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)]
}
