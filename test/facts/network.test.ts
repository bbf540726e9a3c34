import { describe, expect, test } from 'vitest'
import {
  addressesOf,
  interfacesOf,
  parseResolvers,
  parseRoute,
  parseRouteV6,
} from '../../engine/facts/network.ts'

const found = {
  lo: [
    {
      address: '127.0.0.1',
      netmask: '255.0.0.0',
      family: 'IPv4',
      mac: '00:00:00:00:00:00',
      internal: true,
      cidr: '127.0.0.1/8',
    },
  ],
  eth0: [
    {
      address: '192.0.2.2',
      netmask: '255.255.255.0',
      family: 'IPv4',
      mac: '02:00:00:00:00:01',
      internal: false,
      cidr: '192.0.2.2/24',
    },
    {
      address: 'fe80::1',
      netmask: 'ffff::',
      family: 'IPv6',
      mac: '02:00:00:00:00:01',
      internal: false,
      cidr: 'fe80::1/64',
      scopeid: 2,
    },
    {
      address: '2001:db8::2',
      netmask: 'ffff::',
      family: 'IPv6',
      mac: '02:00:00:00:00:01',
      internal: false,
      cidr: '2001:db8::2/64',
      scopeid: 0,
    },
  ],
} as const

test('interfaces have their addresses with prefix and family', () => {
  expect(interfacesOf(found)[1]).toEqual({
    name: 'eth0',
    mac: '02:00:00:00:00:01',
    addresses: [
      { address: '192.0.2.2', prefix: 24, family: 'ipv4' },
      { address: 'fe80::1', prefix: 64, family: 'ipv6' },
      { address: '2001:db8::2', prefix: 64, family: 'ipv6' },
    ],
  })
})

test('loopback and link-local addresses are not among those of the host', () => {
  expect(addressesOf(found)).toEqual(['192.0.2.2', '2001:db8::2'])
})

const head = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n'

describe('default route', () => {
  test.each([
    [
      'is the one with the lowest metric',
      'eth0\t00000000\t010200C0\t0003\t0\t0\t200\t00000000\neth1\t00000000\t020200C0\t0003\t0\t0\t100\t00000000\n',
      { interface: 'eth1', gateway: '192.0.2.2' },
    ],
    [
      'may have no gateway',
      'ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\n',
      { interface: 'ppp0', gateway: null },
    ],
    ['is no network route', 'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n', undefined],
    [
      'is not one that is down or rejects',
      'eth0\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\nlo\t00000000\t00000000\t0201\t0\t0\t0\t00000000\n',
      undefined,
    ],
  ])('%s', (_title, lines, route) => {
    expect(parseRoute(head + lines)).toEqual(route)
  })

  test('of IPv6 is found too', () => {
    // From a Debian 12 host; the last line is the reject route of loopback.
    const zero = '0'.repeat(32)
    const text = `fd000000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001     eth0
${zero} 00 ${zero} 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0
${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200       lo
`
    expect(parseRouteV6(text)).toEqual({ interface: 'eth0', gateway: 'fd00::1' })
  })
})

test('resolvers are the nameserver lines in their order', () => {
  const text = '# nameserver 9.9.9.9\nsearch x\nnameserver 192.0.2.53\nnameserver\t2001:db8::53\n'
  expect(parseResolvers(text)).toEqual(['192.0.2.53', '2001:db8::53'])
})
