import type { TestHost } from './rig.ts'
import { manifests } from './steward.ts'

/** Applies the procedure test::greeting. */
export const greet = ['apply', '--yes', '--manifests', manifests, 'test::greeting']

/** The service that test::greeting is about: it says what its file held when it was started. */
export async function setUpGreeting(host: TestHost): Promise<void> {
  await host.writeFile(
    '/etc/systemd/system/greeting.service',
    '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sh -c "cp /srv/greeting/present /srv/greeting/said; exec sleep infinity"\n',
  )
  await host.shell('mkdir -p /srv/greeting; systemctl daemon-reload')
}

/** It runs and says hello, and welcome is wanted. */
export async function resetGreeting(host: TestHost): Promise<void> {
  await host.shell(`
    rm -rf /var/lib/steward /srv/greeting/kill-at
    echo hello >/srv/greeting/present
    echo welcome >/srv/greeting/wanted
    systemctl restart greeting
    until grep -qs hello /srv/greeting/said; do sleep 0.05; done`)
}

/** What the file holds and what the running service said of it. */
export function greeting(host: TestHost): Promise<string> {
  return host.shell(
    'systemctl is-active greeting; sleep 0.2; cat /srv/greeting/present /srv/greeting/said',
  )
}

/** What `greeting` gives when the procedure is done. */
export const welcome = 'active\nwelcome\nwelcome\n'
