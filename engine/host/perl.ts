import { existsSync } from 'node:fs'

/** Node can't make these system calls, Perl can; perl-base is essential on Debian and Ubuntu. */
export const perl = '/usr/bin/perl'

/** Numbers of system calls. Source: syscall tables of Linux; arm64 uses the generic one. */
const numbers = {
  x64: { mount: 165, unshare: 272, listxattr: 194 },
  arm64: { mount: 40, unshare: 97, listxattr: 11 },
} as const

/** Undefined where there is no Perl, or the numbers are not known. */
export function systemCalls(): (typeof numbers)[keyof typeof numbers] | undefined {
  const { arch } = process
  return (arch === 'x64' || arch === 'arm64') && existsSync(perl) ? numbers[arch] : undefined
}
