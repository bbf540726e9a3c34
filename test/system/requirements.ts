import { existsSync } from 'node:fs'

/** Debian package to a command that it brings. */
const packages: Readonly<Record<string, string>> = {
  'systemd-container': 'systemd-nspawn',
  mmdebstrap: 'mmdebstrap',
  iproute2: 'ip',
  'util-linux': 'nsenter',
  strace: 'strace',
  e2fsprogs: 'mkfs.ext4',
}

/** One sentence on why no test host can be started on this machine, or undefined where one can. */
export function missingForHosts(): string | undefined {
  if (process.platform !== 'linux') return 'The system tests start Debian hosts and need Linux.'
  if (process.getuid?.() !== 0) return 'The system tests start Debian hosts and need root.'
  const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
  const missing = Object.keys(packages).filter(
    (name) => !folders.some((folder) => existsSync(`${folder}/${packages[name]}`)),
  )
  if (missing.length === 0) return undefined
  return `The system tests need packages that are not installed: apt-get install ${missing.join(' ')}`
}
