import { expect } from 'vitest'
import { type KillPoint, runAndKill } from './kill-points.ts'
import type { Rig, TestHost } from './rig.ts'
import { installedImage, manifests, steward } from './steward.ts'

/** The image `installed` with strace in it. */
export async function tracedImage(rig: Rig): Promise<string> {
  const image = await installedImage(rig)
  return rig.image(
    'traced',
    async (host) =>
      void (await host.shell('apt-get -qq update; apt-get -qq install strace >/dev/null 2>&1')),
    { image },
  )
}

/** Applies test::crowd, which needs no package. */
export const applyCrowd = ['apply', '--yes', '--manifests', manifests, 'test::crowd']

/** What test::crowd finds: files of an older generation, which it changes, and one that is to go. */
export async function resetCrowd(host: TestHost): Promise<void> {
  await host.shell(`
    systemctl -q disable --now crowd 2>/dev/null || true
    rm -rf /srv/crowd /var/lib/steward /etc/systemd/system/crowd.service /etc/cron.d/* /etc/sysctl.d/*
    systemctl daemon-reload
    sysctl -qw net.ipv4.ip_forward=0
    userdel crowd 2>/dev/null || true
    groupdel crowd 2>/dev/null || true
    mkdir /srv/crowd
    for i in 0 1 2 3; do printf 'generation 1\\n1 1 1 1\\n' >/srv/crowd/$i; done
    echo same >/srv/crowd/strict
    echo old >/srv/crowd/gone`)
}

/**
 * Everything that test::crowd makes, as text: names, kinds, modes,
 * owners, contents, and the state of its service.
 */
export function crowdState(host: TestHost): Promise<string> {
  return host.shell(`
    find /srv/crowd /etc/cron.d /etc/sysctl.d -printf '%p %y %m %u:%g %l\\n' | sort
    find /srv/crowd /etc/cron.d /etc/sysctl.d /etc/systemd/system/crowd.service -type f | sort | xargs grep -H ''
    getent passwd crowd | cut -d: -f1,6,7; getent group crowd | cut -d: -f1
    sysctl -n net.ipv4.ip_forward; systemctl is-active crowd || true; systemctl is-enabled crowd || true
    systemctl show -p NeedDaemonReload,Description crowd`)
}

/** The state that an undisturbed run leaves. */
export async function undisturbed(host: TestHost): Promise<string> {
  await resetCrowd(host)
  await steward(host, applyCrowd, { exitCode: 0 })
  return crowdState(host)
}

/** Kills a run at the point and expects whole files, and a next run that ends where an undisturbed one does. */
export async function expectConvergence(
  host: TestHost,
  point: KillPoint,
  goal: string,
): Promise<boolean> {
  await resetCrowd(host)
  const reached = await runAndKill(host, ['steward', ...applyCrowd], point)
  const at = `killed at ${point.call} ${point.nth}`
  const contents = await host.shell(
    'cd /srv/crowd; for i in 0 1 2 3 4 5 6 7; do [ ! -e $i ] || tr "\\n" "/" <$i; echo; done',
  )
  for (const content of contents.split('\n')) {
    expect(['', 'generation 1/1 1 1 1/', 'generation 2/2 2 2 2/'], at).toContain(content)
  }
  await steward(host, applyCrowd, { exitCode: 0 })
  expect(await crowdState(host), at).toBe(goal)
  await steward(host, [...applyCrowd, '--detailed-exitcodes'], { exitCode: 0 })
  return reached
}
