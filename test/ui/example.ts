import { contentDiff } from '../../engine/content-diff.ts'
import type { Action, Plan, PlannedResource } from '../../engine/plan.ts'

/** A resource of a plan; its type and title are read from the reference. */
export function planned(
  ref: string,
  action: Action,
  rest: Partial<PlannedResource> = {},
): PlannedResource {
  const [, type = '', title = ''] = /^([^[]+)\[(.*)\]$/s.exec(ref) ?? []
  return { index: 0, ref, type, title, action, changes: [], ...rest }
}

/** A plan of these resources, counted as `plan` counts. */
export function planOf(resources: readonly PlannedResource[], rest: Partial<Plan> = {}): Plan {
  const counts: Record<Action, number> = {
    create: 0,
    change: 0,
    remove: 0,
    run: 0,
    refresh: 0,
    later: 0,
    blocked: 0,
    unknown: 0,
  }
  for (const { action, noop } of resources) if (!noop) counts[action]++
  const inSync = 120
  return {
    classes: ['zulip::profile::memcached'],
    resources,
    total: resources.length + inSync,
    inSync,
    notes: [],
    counts,
    ...rest,
  }
}

const was = '-d\n-m 64\n-p 11211\n-u memcache\n'
const becomes = '-d\n-m 128\n-p 11211\n-u memcache\n-S\n'

/** A content that differs, as a plan holds it. */
export const newContent = {
  attribute: 'content',
  from: 'sha256:0a1b2c3d',
  to: 'sha256:4e5f6071',
  diff: contentDiff(Buffer.from(was), Buffer.from(becomes), '/etc/memcached.conf'),
  edit: 'edited here',
} as const

/** Something of every kind. */
export const server = planOf(
  [
    planned('package[memcached]', 'create', {
      changes: [{ attribute: 'ensure', from: 'absent', to: '1.6.18-1' }],
    }),
    planned('file[/etc/sasl2]', 'create', {
      changes: [
        { attribute: 'ensure', from: 'absent', to: 'directory' },
        { attribute: 'owner', from: undefined, to: 'root' },
        { attribute: 'group', from: undefined, to: 'root' },
        { attribute: 'mode', from: undefined, to: '0755' },
      ],
    }),
    planned('file[/etc/memcached.conf]', 'change', {
      changes: [newContent, { attribute: 'mode', from: '0644', to: '0640' }],
    }),
    planned('file[/etc/nginx/sites-enabled/default]', 'remove', {
      changes: [{ attribute: 'ensure', from: 'link', to: 'absent' }],
    }),
    planned('exec[make a certificate]', 'run', {
      changes: [
        {
          attribute: 'run',
          from: undefined,
          to: 'openssl req -new -x509 -nodes -out /etc/ssl/certs/zulip.pem',
          note: '/etc/ssl/certs/zulip.pem is missing',
        },
      ],
    }),
    planned('service[memcached]', 'refresh', {
      refresh: { by: 'restart', from: ['file[/etc/memcached.conf]'] },
    }),
    planned('service[nginx]', 'later', {
      because: 'package[nginx]',
      changes: [
        { attribute: 'ensure', from: undefined, to: 'running' },
        { attribute: 'enable', from: undefined, to: true },
      ],
    }),
    planned('sysctl[vm.overcommit_memory]', 'change', {
      noop: true,
      changes: [{ attribute: 'live', from: '0', to: '1' }],
    }),
    planned('service[redis]', 'unknown', { because: 'systemd does not run here' }),
    planned('file[/srv/data]', 'blocked', {
      because: '/srv/data is a directory, which is removed only with force',
      help: 'Set force: true where the directory may go.',
    }),
  ],
  {
    asked: 2,
    notes: [
      {
        ref: 'file[/etc/motd]',
        note: '/etc/motd is kept: it differs, and is made only where it is missing (replace: false)',
      },
      { ref: 'exec[reload rules]', note: 'it runs only on a refresh' },
    ],
  },
)
