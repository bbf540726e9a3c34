/**
 * What a fact is: the reference prints it, expressions are checked against it, fact files are checked by it.
 */
export type FactType =
  | {
      readonly type: 'string' | 'integer' | 'boolean'
      readonly description: string
      readonly nullable?: true
    }
  | { readonly type: 'list'; readonly description: string; readonly items: FactType }
  | {
      readonly type: 'map'
      readonly description: string
      readonly nullable?: true
      /** Absent where any name may stand below. */
      readonly fields?: Readonly<Record<string, FactType>>
    }

/** Every fact under `facts`. A nullable one is null where there is no such thing, and unset in expressions. */
export const factsSchema = {
  os: {
    type: 'map',
    description: 'The operating system of the managed tree, as its os-release file tells.',
    fields: {
      family: {
        type: 'string',
        description: 'Debian, RedHat or Suse; of any other system its id.',
      },
      id: { type: 'string', description: 'Name for programs, such as debian or ubuntu.' },
      codename: { type: 'string', description: 'Such as bookworm; empty where there is none.' },
      version: {
        type: 'string',
        description: 'Such as 12 or 24.04; empty for a system that has none, such as Debian sid.',
      },
      name: {
        type: 'string',
        description: 'Name for people, such as Debian GNU/Linux 12 (bookworm).',
      },
    },
  },
  kernel: {
    type: 'map',
    description: 'The running kernel, that of this machine also under --root.',
    fields: {
      name: { type: 'string', description: 'Linux.' },
      release: { type: 'string', description: 'As `uname -r` prints it.' },
    },
  },
  architecture: {
    type: 'string',
    description: 'In the words of Debian: amd64, arm64.',
  },
  memory: {
    type: 'map',
    description: 'From /proc/meminfo, which in a container may tell less than the machine has.',
    fields: {
      total_mb: { type: 'integer', description: 'Size in MiB, rounded down.' },
    },
  },
  processors: {
    type: 'map',
    description: 'The processors that are online.',
    fields: {
      count: { type: 'integer', description: 'How many, hardware threads counted one by one.' },
    },
  },
  hostname: { type: 'string', description: 'The name of this machine up to its first dot.' },
  fqdn: {
    type: 'string',
    description:
      'The full name, from the kernel, /etc/hosts or the search domain of /etc/resolv.conf; the host name where none of them has a domain. No name server is asked.',
  },
  network: {
    type: 'map',
    description: 'The network of this machine, also under --root.',
    fields: {
      interfaces: {
        type: 'list',
        description: 'The interfaces that have an address, in the order of the kernel.',
        items: {
          type: 'map',
          description: 'One interface.',
          fields: {
            name: { type: 'string', description: 'Such as eth0.' },
            mac: { type: 'string', description: 'Hardware address, in lower case with colons.' },
            addresses: {
              type: 'list',
              description: 'Its addresses.',
              items: {
                type: 'map',
                description: 'One address.',
                fields: {
                  address: { type: 'string', description: 'Without prefix and zone.' },
                  prefix: { type: 'integer', description: 'Length of the network prefix in bits.' },
                  family: { type: 'string', description: 'ipv4 or ipv6.' },
                },
              },
            },
          },
        },
      },
      addresses: {
        type: 'list',
        description: 'All addresses but those of loopback and link-local ones.',
        items: { type: 'string', description: 'An IPv4 or IPv6 address.' },
      },
      default_route: {
        type: 'map',
        description: 'The default route of IPv4, else of IPv6, with the lowest metric.',
        nullable: true,
        fields: {
          interface: { type: 'string', description: 'The interface it leads through.' },
          gateway: {
            type: 'string',
            description: 'Address of the gateway; null on a point-to-point link.',
            nullable: true,
          },
        },
      },
      resolvers: {
        type: 'list',
        description: 'The name servers of /etc/resolv.conf, in its order.',
        items: { type: 'string', description: 'An IPv4 or IPv6 address.' },
      },
    },
  },
  mounts: {
    type: 'list',
    description: 'The mounted file systems of this machine that hold files, in the order mounted.',
    items: {
      type: 'map',
      description: 'One file system.',
      fields: {
        path: { type: 'string', description: 'Where it is mounted.' },
        device: { type: 'string', description: 'Device, server path or name.' },
        type: { type: 'string', description: 'Such as ext4, tmpfs or nfs4.' },
        size_mb: {
          type: 'integer',
          description: 'Size in MiB; null for network and FUSE file systems, which are not asked.',
          nullable: true,
        },
        free_mb: {
          type: 'integer',
          description: 'What others than root may still use, in MiB; null as for the size.',
          nullable: true,
        },
      },
    },
  },
  init: {
    type: 'string',
    description: 'systemd where it is process 1 of the managed tree, else other.',
  },
  release: {
    type: 'map',
    description:
      'The Zulip release that /home/zulip/deployments/current leads to, or `next` there while it is not yet; null without one.',
    nullable: true,
    fields: {
      version: { type: 'string', description: 'Such as 9.4 or 10.0-dev+git.' },
      major: { type: 'integer', description: 'The number before the first dot.' },
      minor: { type: 'integer', description: 'The number behind the first dot; 0 without one.' },
      tree: {
        type: 'string',
        description: 'The folder of the release; null where a fact file names only a version.',
        nullable: true,
      },
      node: {
        type: 'map',
        description:
          'The Node.js that the scripts of the release install; null where they do not say.',
        nullable: true,
        fields: {
          version: { type: 'string', description: 'Such as 22.11.0.' },
          amd64: { type: 'string', description: 'SHA-256 checksum of its archive, .tar.xz.' },
          arm64: { type: 'string', description: 'The same for this architecture.' },
        },
      },
    },
  },
  postgresql_clusters: {
    type: 'list',
    description: 'The versions of PostgreSQL that have a cluster called main, the oldest first.',
    items: { type: 'string', description: 'Such as 15.' },
  },
  site: {
    type: 'map',
    description: 'Facts of this site, from the files in /etc/steward/facts.d.',
  },
} as const satisfies Readonly<Record<string, FactType>>

/** Plain data, as JSON holds it, without null. */
export type FactValue = string | number | boolean | readonly FactValue[] | FactMap
export interface FactMap {
  readonly [name: string]: FactValue
}

/** What is true of a host; `factsSchema` says what each part means. */
export type Facts = FieldsOf<typeof factsSchema>
export type Release = NonNullable<Facts['release']>
export type Mount = Facts['mounts'][number]
export type Network = Facts['network']

type FieldsOf<Fields> = { readonly [Name in keyof Fields]: ValueOf<Fields[Name]> }
type ValueOf<Fact> = Fact extends { readonly nullable: true }
  ? SetValueOf<Fact> | null
  : SetValueOf<Fact>
type SetValueOf<Fact> = Fact extends { readonly type: 'string' }
  ? string
  : Fact extends { readonly type: 'integer' }
    ? number
    : Fact extends { readonly type: 'boolean' }
      ? boolean
      : Fact extends { readonly type: 'list'; readonly items: infer Item }
        ? readonly ValueOf<Item>[]
        : Fact extends { readonly type: 'map'; readonly fields: infer Fields }
          ? FieldsOf<Fields>
          : FactMap
