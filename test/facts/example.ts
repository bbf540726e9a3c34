import type { Facts } from '../../engine/facts/schema.ts'

/** A small Debian 12 server with Zulip 9.4. */
export const exampleFacts: Facts = {
  os: {
    family: 'Debian',
    id: 'debian',
    codename: 'bookworm',
    version: '12',
    name: 'Debian GNU/Linux 12 (bookworm)',
  },
  kernel: { name: 'Linux', release: '6.1.0-28-amd64' },
  architecture: 'amd64',
  memory: { total_mb: 3921 },
  processors: { count: 2 },
  hostname: 'chat',
  fqdn: 'chat.example.org',
  network: {
    interfaces: [
      {
        name: 'eth0',
        mac: '02:00:00:00:00:01',
        addresses: [{ address: '192.0.2.2', prefix: 24, family: 'ipv4' }],
      },
    ],
    addresses: ['192.0.2.2'],
    default_route: { interface: 'eth0', gateway: '192.0.2.1' },
    resolvers: ['192.0.2.53'],
  },
  mounts: [{ path: '/', device: '/dev/vda1', type: 'ext4', size_mb: 40_000, free_mb: 30_000 }],
  init: 'systemd',
  release: {
    version: '9.4',
    major: 9,
    minor: 4,
    tree: '/home/zulip/deployments/2026-11-22-10-00-00',
    node: null,
  },
  postgresql_clusters: [],
  site: { owner: 'ops' },
}
