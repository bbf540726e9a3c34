import { availableParallelism, hostname, release, type } from 'node:os'
import type { HostReader } from '../host/host.ts'
import type { Facts } from './schema.ts'
import { textOf } from './text.ts'

export function readKernel(): Facts['kernel'] {
  return { name: type(), release: release() }
}

/** /proc/meminfo, for a container may have a smaller one in its place, which sysinfo(2) knows nothing of. */
export function readMemory(machine: HostReader): Facts['memory'] {
  return { total_mb: parseMemory(textOf(machine, '/proc/meminfo')) }
}

/** In MiB. Source: proc_meminfo(5): its "kB" are KiB. */
export function parseMemory(meminfo: string): number {
  const [, kib = '0'] = /^MemTotal:\s*(\d+) kB/m.exec(meminfo) ?? []
  return Math.floor(Number(kib) / 1024)
}

/**
 * Containers have their own list too, and reading it costs less than /proc/cpuinfo, which measures frequencies.
 */
export function readProcessors(machine: HostReader): Facts['processors'] {
  const online = countList(textOf(machine, '/sys/devices/system/cpu/online'))
  return { count: online || availableParallelism() }
}

/** How many numbers a list such as `0-3,8` holds. */
export function countList(text: string): number {
  let count = 0
  for (const [, first, last = first] of text.matchAll(/(\d+)(?:-(\d+))?/g)) {
    count += Number(last) - Number(first) + 1
  }
  return count
}

/**
 * dpkg's name: the first line of its own list, which it keeps once a foreign
 * one was added, else that of this program.
 */
export function readArchitecture(host: HostReader): string {
  const [native = ''] = textOf(host, '/var/lib/dpkg/arch').split('\n')
  return native.trim() || (debianNames.get(process.arch) ?? process.arch)
}

const debianNames = new Map([
  ['x64', 'amd64'],
  ['arm64', 'arm64'],
  ['arm', 'armhf'],
  ['ia32', 'i386'],
  ['ppc64', 'ppc64el'],
])

/** Host name and full name, without asking a name server. */
export function readNames(machine: HostReader): Pick<Facts, 'hostname' | 'fqdn'> {
  return namesOf(hostname(), textOf(machine, '/etc/hosts'), textOf(machine, '/etc/resolv.conf'))
}

/** Source: hostname(1), "The FQDN"; hosts(5): the first name of a line is the canonical one; resolv.conf(5). */
export function namesOf(
  kernelName: string,
  hosts: string,
  resolvConf: string,
): Pick<Facts, 'hostname' | 'fqdn'> {
  const short = kernelName.split('.')[0] ?? kernelName
  if (kernelName.includes('.')) return { hostname: short, fqdn: kernelName }
  for (const line of hosts.split('\n')) {
    const [, ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const full = names.find((name) => name.startsWith(`${short}.`)) ?? names[0]
    if (names.includes(short) && full?.includes('.')) return { hostname: short, fqdn: full }
  }
  const domains = [...resolvConf.matchAll(/^(?:domain|search)[ \t]+([^\s.][^\s]*)/gm)]
  const domain = domains.at(-1)?.[1]?.replace(/\.$/, '')
  return { hostname: short, fqdn: domain ? `${short}.${domain}` : short }
}
