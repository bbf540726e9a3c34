import { basename } from 'node:path'
import type { TestHost } from './rig.ts'

/** One thing that no package brings. */
export interface Archive {
  /** Where its makers have it, without https://. */
  readonly address: string
  /** Shell that makes what is packed, in an empty folder; where the address names no archive, the thing itself. */
  readonly make: string
  /** Parameters by class that hold its checksum. */
  readonly pin: (sha256: string) => Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

/** A web server in a host, for that host alone: each archive lies below its own address. */
export interface Mirror {
  /** For `mirror` in [downloads] of zulip.conf. */
  readonly url: string
  /** The text of a site file that takes these for the real ones. */
  site(...archives: readonly Archive[]): string
  start(): Promise<void>
  stop(): Promise<void>
}

/** Makes these in the host, which gets python3 for it. It serves nothing until it is started, then after a reboot too. */
export async function makeMirror(host: TestHost, archives: readonly Archive[]): Promise<Mirror> {
  const port = 8000
  await host.shell(`command -v python3 >/dev/null ||
    { apt-get update; apt-get install --yes --no-install-recommends python3; } >/dev/null 2>&1`)
  const sums = new Map<Archive, string>()
  for (const archive of archives) sums.set(archive, await put(host, archive))
  return {
    url: `http://127.0.0.1:${port}`,
    site(...pinned) {
      const pins = pinned.map((archive) => archive.pin(sums.get(archive) ?? 'it is not there'))
      return JSON.stringify({ parameters: Object.assign({}, ...pins) })
    },
    async start() {
      // A fetch of Node.js fails where a server hangs up while it is still reading, as one of HTTP/1.0 does.
      const serve = `/usr/bin/python3 -m http.server --protocol HTTP/1.1 --bind 127.0.0.1 --directory ${folder} ${port}`
      await host.writeFile(
        '/etc/systemd/system/mirror.service',
        `[Service]\nExecStart=${serve}\n[Install]\nWantedBy=multi-user.target\n`,
      )
      await host.shell(`systemctl daemon-reload; systemctl enable --quiet --now mirror
        until bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}' 2>/dev/null; do sleep 0.1; done`)
    },
    stop: async () => void (await host.shell('systemctl disable --quiet --now mirror')),
  }
}

const folder = '/srv/mirror'

/** How what is packed becomes the archive, by the last word of its name. */
const packers: Readonly<Record<string, string>> = {
  gz: 'gzip -1',
  // A host has the program xz only once a class has brought it.
  xz: `python3 -c 'import lzma, sys; sys.stdout.buffer.write(lzma.compress(sys.stdin.buffer.read(), preset=0))'`,
}

/** Puts one archive into the mirror; gives its checksum. */
async function put(host: TestHost, { address, make }: Archive): Promise<string> {
  const packer = packers[/\.tar\.(\w+)$/.exec(address)?.[1] ?? '']
  const to = `${folder}/${address}`
  const sum = await host.shell(`set -e
    work=$(mktemp -d); cd "$work"; mkdir -p "$(dirname ${to})"
    ${make}
    ${packer === undefined ? `mv ${basename(address)} ${to}` : `tar -c * | ${packer} >${to}`}
    rm -r "$work"; sha256sum <${to} | cut -c 1-64`)
  return sum.trim()
}

/** Shell that makes a program of a script; the folders that it lies in too. */
function program(path: string, script: string): string {
  return `mkdir -p "$(dirname ${path})"; cat >${path} <<'SCRIPT'\n#!/bin/sh\n${script}\nSCRIPT\nchmod 755 ${path}`
}

// Programs that are scripts; those that serve run until they are stopped.

/** The image proxy. It tells the checksum of its key, which it has from its environment, and what it was started with. */
export const camo = (version = '2.5.1'): Archive => ({
  address: `github.com/cactus/go-camo/releases/download/v${version}/go-camo-${version}.go1225.linux-amd64.tar.gz`,
  make: program(
    `go-camo-${version}/bin/go-camo`,
    `echo "${version} of key $(printf %s "$GOCAMO_HMAC" | sha256sum | cut -c 1-64): $*"; exec sleep infinity`,
  ),
  pin: (sha256) => ({ 'zulip::camo': { version, sha256: { amd64: sha256 } } }),
})

/** A compiler that takes the only file of the source for the program. */
export const go: Archive = {
  address: 'go.dev/dl/go1.22.5.linux-amd64.tar.gz',
  make: program(
    'go/bin/go',
    '[ "$1 $2 $4" = "build -o ." ] && [ "$GOPROXY" = off ] && cp main.go "$3"',
  ),
  pin: (sha256) => ({ 'zulip::golang': { sha256: { amd64: sha256 } } }),
}

export const smokescreenCommit = '85c4c64e1e01b899456d42459966a106f66c7cd5'
/** The outgoing proxy, to be compiled. */
export const smokescreen: Archive = {
  address: `github.com/stripe/smokescreen/archive/${smokescreenCommit}.tar.gz`,
  make: program(
    `smokescreen-${smokescreenCommit}/main.go`,
    'echo "serving: $*"; exec sleep infinity',
  ),
  pin: (sha256) => ({ 'zulip::smokescreen': { sha256 } }),
}

export const tusd: Archive = {
  address: 'github.com/tus/tusd/releases/download/v2.5.0/tusd_linux_amd64.tar.gz',
  make: program('tusd_linux_amd64/tusd', 'exec sleep infinity'),
  pin: (sha256) => ({ 'zulip::tusd': { sha256: { amd64: sha256 } } }),
}

/** What archives the database, as the script has it. */
export const walG = (script: string): Archive => ({
  address: 'github.com/wal-g/wal-g/releases/download/v3.0.0/wal-g-pg-ubuntu-20.04-amd64.tar.gz',
  make: program('wal-g-pg-ubuntu-20.04-amd64', script),
  pin: (sha256) => ({ 'zulip::wal_g': { sha256: { amd64: sha256 } } }),
})

export const nodeFolder = 'node-v22.11.0-linux-x64'
/**
 * Node.js as steward brings it, an npm that only runs scripts of a package.json, and a corepack that leaves behind what
 * tells that it has installed something.
 */
export const node: Archive = {
  address: `nodejs.org/dist/v22.11.0/${nodeFolder}.tar.xz`,
  make: [
    program(`${nodeFolder}/bin/node`, 'exec /usr/lib/steward/runtime/node "$@"'),
    program(`${nodeFolder}/bin/npm`, '[ "$1" = run ] && exec node --run "$2"'),
    program(
      `${nodeFolder}/bin/corepack`,
      `name=\${3%%+*}; cd; mkdir -p .cache/node/corepack; cd .cache/node/corepack; echo {} >lastKnownGood.json
      to=v1/\${name%@*}/\${name#*@}; mkdir -p "$to"; echo {} >"$to/.corepack"`,
    ),
    program(`${nodeFolder}/lib/node_modules/corepack/dist/pnpm.js`, 'exec true'),
  ].join('\n'),
  pin: (sha256) => ({ 'zulip::static_asset_compiler': { node_sha256: sha256 } }),
}
