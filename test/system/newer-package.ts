import type { TestHost } from './rig.ts'

/**
 * Gives a host a repository of its own in /srv/newer, with a memcached that is newer than that which it has; the other one
 * lies beside it as memcached_older.deb.
 */
export async function makeNewerMemcached(host: TestHost): Promise<void> {
  await host.shell(`set -e
    mkdir -p /srv/newer; cd /srv/newer
    apt-get install --yes --no-install-recommends dpkg-dev >/dev/null 2>&1
    apt-get update >/dev/null
    apt-get download memcached >/dev/null 2>&1
    mv memcached_*.deb older
    dpkg-deb --raw-extract older package
    sed -i 's/^Version: .*/&.newer1/' package/DEBIAN/control
    dpkg-deb --build package memcached_newer.deb >/dev/null; rm -r package
    dpkg-scanpackages . >Packages 2>/dev/null
    mv older memcached_older.deb
    echo 'deb [trusted=yes] file:/srv/newer ./' >/etc/apt/sources.list.d/newer.list
    apt-get update >/dev/null`)
}
