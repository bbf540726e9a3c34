import { endianness, type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import type { HostReader } from '../host/host.ts'
import type { Network } from './schema.ts'
import { textOf } from './text.ts'

export function readNetwork(machine: HostReader): Network {
  const found = networkInterfaces()
  return {
    interfaces: interfacesOf(found),
    addresses: addressesOf(found),
    default_route:
      parseRoute(textOf(machine, '/proc/net/route')) ??
      parseRouteV6(textOf(machine, '/proc/net/ipv6_route')) ??
      null,
    resolvers: parseResolvers(textOf(machine, '/etc/resolv.conf')),
  }
}

type Found = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

export function interfacesOf(found: Found): Network['interfaces'] {
  return Object.entries(found).map(([name, infos = []]) => ({
    name,
    mac: infos[0]?.mac ?? '',
    addresses: infos.map(({ address, cidr, family }) => ({
      address,
      prefix: Number(cidr?.split('/')[1] ?? 0),
      family: family === 'IPv4' ? 'ipv4' : 'ipv6',
    })),
  }))
}

/** Those that other machines may reach. Source: RFC 3927 (169.254.0.0/16), RFC 4291 (fe80::/10). */
export function addressesOf(found: Found): string[] {
  return Object.values(found)
    .flatMap((infos) => infos ?? [])
    .filter(({ address, internal }) => !internal && !/^(169\.254\.|fe[89ab].:)/i.test(address))
    .map(({ address }) => address)
}

type Route = NonNullable<Network['default_route']>

const up = 0x1
const reject = 0x200

/** Source: proc_pid_net(5), /proc/net/route: hexadecimal, addresses in the byte order of the machine. */
export function parseRoute(text: string): Route | undefined {
  const routes = text.split('\n').flatMap((line) => {
    const [name, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/)
    if (name === undefined || gateway === undefined) return []
    if (destination !== '00000000' || mask !== '00000000' || !isUsable(flags)) return []
    return [{ metric: Number(metric), interface: name, gateway: ipv4Of(gateway) }]
  })
  return lowest(routes)
}

/**
 * Source: the kernel's net/ipv6/route.c: destination, prefix, source, prefix,
 * next hop, metric, two counts, flags, name.
 */
export function parseRouteV6(text: string): Route | undefined {
  const routes = text.split('\n').flatMap((line) => {
    const [destination, prefix, , , hop, metric, , , flags, name] = line.trim().split(/\s+/)
    if (name === undefined || hop === undefined || metric === undefined) return []
    if (!/^0+$/.test(destination ?? '') || prefix !== '00' || !isUsable(flags)) return []
    return [{ metric: Number.parseInt(metric, 16), interface: name, gateway: ipv6Of(hop) }]
  })
  return lowest(routes)
}

function isUsable(flags: string | undefined): boolean {
  const bits = Number.parseInt(flags ?? '0', 16)
  return (bits & up) !== 0 && (bits & reject) === 0
}

function lowest(routes: readonly (Route & { readonly metric: number })[]): Route | undefined {
  const [best] = routes.toSorted((a, b) => a.metric - b.metric)
  return best && { interface: best.interface, gateway: best.gateway }
}

function ipv4Of(hex: string): string | null {
  if (/^0+$/.test(hex)) return null
  const bytes = Buffer.from(hex, 'hex')
  return [...(endianness() === 'LE' ? bytes.reverse() : bytes)].join('.')
}

function ipv6Of(hex: string): string | null {
  if (/^0+$/.test(hex)) return null
  const groups = hex.match(/.{4}/g) ?? []
  // A URL writes an address in its short form (RFC 5952).
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** Source: resolv.conf(5). */
export function parseResolvers(text: string): string[] {
  return [...text.matchAll(/^nameserver[ \t]+(\S+)/gm)].map(([, address = '']) => address)
}
