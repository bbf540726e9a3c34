import type { TestHost } from './rig.ts'

/** Puts a stand-in for a deployed release in the host, whose programs only stay. Its user zulip has to be there. */
export async function deployRelease(host: TestHost, version: string): Promise<void> {
  await host.shell(`
    tree=/home/zulip/deployments/2026-01-01-00-00-00
    mkdir -p $tree/zulip-current-venv/bin /srv/zulip-node/bin
    echo 'ZULIP_VERSION = "${version}"' >$tree/version.py
    for program in $tree/manage.py $tree/zulip-current-venv/bin/uwsgi /srv/zulip-node/bin/node; do
      printf '#!/bin/sh\\nexec sleep 100000\\n' >$program
      chmod 755 $program
    done
    ln -sfn $tree /home/zulip/deployments/current
    chown -R zulip:zulip /home/zulip`)
}
