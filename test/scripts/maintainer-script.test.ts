import { describe, expect, test } from 'vitest'
import { readMaintainerScript } from '../../scripts/maintainer-script.ts'

describe('readMaintainerScript', () => {
  test.each<[string, string, object]>([
    [
      'a system user with a group of its own',
      'adduser --system --quiet --group --home /var/lib/x --gecos "X server" xuser || true',
      { users: ['xuser'], groups: ['xuser'] },
    ],
    [
      'a system user in another group',
      'if ! getent passwd x >/dev/null; then adduser --system --ingroup y x; fi',
      { users: ['x'], groups: [] },
    ],
    [
      'a user, over several lines',
      'adduser \\\n  --disabled-password \\\n  x >&2',
      { users: ['x'], groups: ['x'] },
    ],
    ['nobody, for a member', 'adduser --quiet x ssl-cert', { users: [], groups: [] }],
    [
      'by useradd and groupadd',
      'groupadd -r g && useradd -r -g g -d /nonexistent x',
      { users: ['x'], groups: ['g'] },
    ],
    [
      'a group, by a variable',
      'GROUP="x-y"\naddgroup --system $GROUP >/dev/null',
      { groups: ['x-y'] },
    ],
    ['directories', 'mkdir -p /etc/x /var/lib/x/', { directories: ['/etc/x', '/var/lib/x'] }],
    ['a directory by install', 'install -d -m 2775 -o x -g x /run/x', { directories: ['/run/x'] }],
    ['nothing for an installed file', 'install -m 644 /usr/share/x /etc/x', { directories: [] }],
    [
      'directories in a loop',
      'for DIR in /var/lib/x /var/log/x\ndo\n  mkdir -p ${DIR}\ndone',
      { directories: ['/var/lib/x', '/var/log/x'] },
    ],
    ['nothing that is worked out', 'mkdir -p "$(dirname "$X")" /run/$UNKNOWN', { directories: [] }],
    ['nothing in a comment', '# adduser x\necho y # mkdir /z', { users: [], directories: [] }],
    [
      'a command among alternatives',
      'update-alternatives --install /usr/bin/x x /usr/bin/x.real 10',
      { commands: ['x'] },
    ],
    ['no command elsewhere', 'update-alternatives --install /etc/x x /etc/y 10', { commands: [] }],
  ])('finds %s', (_title, script, made) => {
    expect(readMaintainerScript(script)).toMatchObject(made)
  })
})
