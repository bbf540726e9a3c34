import { statSync } from 'node:fs'
import { posix } from 'node:path'
import { type Ground, runCommand } from './command.ts'
import type { CommandOptions, CommandResult } from './host.ts'
import { perl, systemCalls } from './perl.ts'

/**
 * Runs a guard where it can't change the files of the host, or says why there is no such place.
 *
 * Its own mount namespace is read-only from top to bottom, without devices but for /dev/null and its kin, with
 * empty private folders over /tmp, /dev/shm and its scratch paths. It can't undo that: it keeps only the
 * capabilities below and gains none. What it starts in its process group ends with it.
 *
 * Not cut, for real guards need them: the network, sockets and fifos of daemons (psql, supervisorctl), and
 * signals to processes of its own user. So a guard changes nothing by mistake; one that is written to do harm
 * can ask a daemon to do it, or go through /proc into a process of its own user.
 */
export async function guardCommand(
  argv: readonly string[],
  options: CommandOptions,
  ground: Ground,
): Promise<CommandResult | { readonly unavailable: string }> {
  const calls = systemCalls()
  if (calls === undefined) return { unavailable: `not possible on ${process.arch} without perl` }
  const folders = ['/tmp', ...(options.scratch ?? [])]
  const hidden = [options.cwd, argv[0]].find((path) => folders.some((f) => isBelow(path, f)))
  if (hidden !== undefined)
    return { unavailable: `${hidden} lies in a folder that a guard can't see` }
  const own = process.geteuid?.() ?? 0
  const result = await runCommand(argv, options, {
    ...ground,
    wrapper: [
      perl,
      '-e',
      privatize,
      ...[calls.unshare, calls.mount, own, process.getegid?.() ?? 0].map(String),
      ...folders.flatMap((folder) => privateFolder(posix.join(ground.root, folder))),
      '--',
    ],
    privileges: ['--no-new-privs', ...(own === 0 ? capabilities : [])],
  })
  const failed = result.exitCode === 125 && result.stderr.startsWith(mark)
  if (!failed) return result
  const why = result.stderr.slice(mark.length).trim()
  return { unavailable: own === 0 ? why : `${why}; this system lets only root do that` }
}

/**
 * To read what root can, to speak to sockets of others, and to become another user, as
 * rabbitmqctl does. Without CAP_SYS_ADMIN nothing can be mounted anew, not even from a
 * user namespace: there the mounts are locked. Another user than root has none of these once the command is started.
 */
const kept = ['dac_override', 'dac_read_search', 'setuid', 'setgid']
const capabilities = [
  '--inh-caps=-all',
  `--bounding-set=-all,${kept.map((name) => `+${name}`).join(',')}`,
]

const mark = 'steward-guard: '

/**
 * mount_setattr(2) turns the whole tree read-only in one call, hidden mounts included, where mount(8) would be
 * a process for each mount. Perl because it can make system calls and is on every Debian (perl-base is
 * essential). Who is not root may do so in a user namespace of its own, where it is who it was.
 * Arguments: numbers of unshare(2) and mount(2), the user and group that run this, then path and options of each
 * private folder, "--", the command. Numbers: 442 is mount_setattr, -100 AT_FDCWD, 0x8000 AT_RECURSIVE; CLONE_NEWNS,
 * CLONE_NEWIPC and CLONE_NEWUSER; MS_BIND 4096, MS_NOSUID and MS_NODEV 6, MS_PRIVATE; MOUNT_ATTR_RDONLY 1,
 * MOUNT_ATTR_NODEV 4. Source: user_namespaces(7), for the maps and the order in which they are written.
 */
const privatize = `
my ($unshare, $mount, $user, $group) = map { $_ + 0 } splice @ARGV, 0, 4;
sub fail { print STDERR "${mark}$_[0]: $!\\n"; exit 125 }
sub lay {
  my ($source, $path, $type, $flags, $data) = @_;
  syscall($mount, $source, $path, $type, $flags, $data) == 0 or fail("can't mount over $path");
}
sub attributes {
  my ($path, $how, @set) = @_;
  my $wanted = pack 'Q4', @set, 0, 0, 0, 0;
  syscall(442, -100, $path, $how, $wanted, 32) == 0 or fail("can't make $path read-only");
}
sub note {
  my ($file, $text) = @_;
  open my $out, '>', "/proc/self/$file" or fail("can't open $file");
  syswrite $out, $text or fail("can't write $file");
}
syscall($unshare, 0x20000 | 0x8000000 | ($user ? 0x10000000 : 0)) == 0 or fail("no namespace");
if ($user) {
  note('setgroups', 'deny');
  note('uid_map', "$user $user 1");
  note('gid_map', "$group $group 1");
}
attributes('/', 0x8000, 0, 0, 1 << 18);
my @devices = grep { -e } map { "/dev/$_" } qw(null zero full random urandom);
lay($_, $_, 'none', 4096, '') for @devices;
attributes('/', 0x8000, 1 | 4);
attributes($_, 0, 0, 4) for @devices;
lay('tmpfs', '/dev/shm', 'tmpfs', 6, 'mode=1777') if -d '/dev/shm';
while ((my $path = shift) ne '--') { lay('tmpfs', $path, 'tmpfs', 6, shift) }
exec { $ARGV[0] } @ARGV or fail($ARGV[0]);
`

/** The path and, for tmpfs, the owner and mode of what lies there; nothing where nothing does. */
function privateFolder(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() !== true) return []
  const { mode, uid, gid } = found
  const own = process.geteuid?.() ?? 0
  // Who is not root has only itself to give it to.
  const owner = own === 0 ? `,uid=${uid},gid=${gid}` : ''
  return [path, `mode=${(mode & 0o7777).toString(8)}${owner}`]
}

function isBelow(path: string | undefined, folder: string): boolean {
  return path?.startsWith(`${folder.replace(/\/+$/, '')}/`) === true || path === folder
}
