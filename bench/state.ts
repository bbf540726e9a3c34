/**
 * The desired states that every program is timed on, told in no program's own words, and the bytes that each
 * file must have in the end.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** A file made from the template. `path` is below the target folder. */
export interface TemplateFile {
  readonly i: number
  readonly port: number
  readonly key: string
  readonly path: string
}
export interface FilesState {
  readonly directories: readonly string[]
  readonly files: readonly TemplateFile[]
}
/** A server of 162 resources of most types. Packages, users and groups are such as every Debian has. */
export interface MixedState extends FilesState {
  readonly packages: readonly string[]
  readonly copies: readonly {
    readonly path: string
    readonly source: string
    readonly size: number
  }[]
  readonly links: readonly { readonly path: string; readonly to: string }[]
  readonly users: readonly { readonly name: string; readonly uid: number }[]
  readonly groups: readonly { readonly name: string; readonly gid: number }[]
  readonly texts: readonly { readonly path: string; readonly text: string }[]
  /** Commands that have run when `creates` is there. */
  readonly commands: readonly { readonly name: string; readonly creates: string }[]
}
/** The numbers of the nodes that each node requires. */
export type GraphState = readonly (readonly number[])[]

export const hosts = [
  'alpha',
  'bravo',
  'charlie',
  'delta',
  'echo',
  'foxtrot',
  'golf',
  'hotel',
  'india',
  'juliett',
] as const

const padded = (number: number, width: number) => String(number).padStart(width, '0')
const options = Array.from({ length: 14 }, (_, k) => {
  const subsystem = padded((k * 7) % 31, 2)
  return (
    `# option_${padded(k, 2)} tunes subsystem ${subsystem}; the default suits most sites, see the manual.\n` +
    `option_${padded(k, 2)} = ${(k * 7919) % 10007}`
  )
}).join('\n')

/** How a template language writes the values of one file, and the loop over `hosts`. */
export interface TemplateWords {
  readonly i: string
  readonly port: string
  readonly key: string
  readonly host: string
  /** The port inside the loop, where it is written differently. */
  readonly portInLoop?: string
  /** Lines that the language takes out whole. */
  readonly loop: string
  readonly end: string
}

/** The one template, about 2 KB, in the words of a template language. */
export function template(words: TemplateWords): string {
  return `# Managed file: local changes are overwritten.
# unit ${words.i}
[service]
name = app-${words.i}
listen = 127.0.0.1:${words.port}
secret_key = ${words.key}
${options}
[upstreams]
${words.loop}
server ${words.host}.internal.example:${words.portInLoop ?? words.port} weight=1;
${words.end}
# end of unit ${words.i}
`
}

/** The words in which the floor reads it. */
export const plainWords: TemplateWords = {
  i: '@i@',
  port: '@port@',
  key: '@key@',
  host: '@h@',
  loop: '@for@',
  end: '@end@',
}

/** The template with its loop gone through, the values of a file still to be filled in. */
const unrolled = template(plainWords).replace(/@for@\n(.*\n)@end@\n/, (_, line: string) =>
  hosts.map((host) => line.replace('@h@', host)).join(''),
)

function templateFile(i: number, path: string): TemplateFile {
  const key = createHash('sha256').update(`bench-${i}`).digest('hex').slice(0, 32)
  return { i, port: 10_000 + (i % 50_000), key, path }
}

/** `count` files of about 2 KB, a hundred to a directory. */
export function filesState(count: number): FilesState {
  const directories = Array.from(
    { length: Math.max(10, count / 100) },
    (_, k) => `d${padded(k, 4)}`,
  )
  const files = Array.from({ length: count }, (_, i) =>
    templateFile(i, `${directories[i % directories.length]}/app-${padded(i, 6)}.conf`),
  )
  return { directories, files }
}

const commonPackages =
  `apt base-files base-passwd bash bsdutils ca-certificates coreutils cron curl dash debconf
  debianutils diffutils dpkg e2fsprogs file findutils gcc git gnupg grep gzip hostname init-system-helpers jq less
  libc-bin login logrotate make mawk mount ncurses-base openssl passwd perl perl-base procps python3 sed
  sensible-utils sysvinit-utils tar tzdata util-linux wget xz-utils zlib1g`.split(/\s+/)

export function mixedState(): MixedState {
  const installed = new Set(
    [
      ...readFileSync('/var/lib/dpkg/status', 'utf8').matchAll(
        /^Package: (\S+)\n(?:.+\n)*?Status: install ok installed$/gm,
      ),
    ].map(([, name]) => name),
  )
  const server = (k: number) => `srv${padded(k % 15, 2)}`
  const range = <T>(length: number, make: (k: number) => T) =>
    Array.from({ length }, (_, k) => make(k))
  return {
    packages: commonPackages.filter((name) => installed.has(name)).slice(0, 40),
    directories: [...range(15, server), 'cron.d', 'sysctl.d'],
    files: range(40, (i) => templateFile(i, `${server(i)}/t${padded(i, 2)}.conf`)),
    copies: range(20, (k) => ({
      path: `${server(k)}/s${padded(k, 2)}.conf`,
      source: `s${padded(k, 2)}.conf`,
      size: k < 15 ? 20_000 : 200_000,
    })),
    links: range(10, (k) => ({
      path: `${server(k)}/link`,
      to: `${server(k)}/t${padded(k, 2)}.conf`,
    })),
    users: [
      { name: 'daemon', uid: 1 },
      { name: 'games', uid: 5 },
      { name: 'www-data', uid: 33 },
    ],
    groups: [
      { name: 'adm', gid: 4 },
      { name: 'tty', gid: 5 },
    ],
    texts: [
      ...range(10, (k) => ({
        path: `cron.d/job${k}`,
        text: `MAILTO=root\n${k} 3 * * * root /usr/bin/test -x /bin/true && /bin/true ${k}\n`,
      })),
      ...range(10, (k) => ({
        path: `sysctl.d/${k}0-x.conf`,
        text: `net.core.opt${k} = ${k * 1024}\nvm.opt${k} = ${k}\n`,
      })),
    ],
    commands: range(10, (k) => ({
      name: `command${k}`,
      creates: `${server(k)}/t${padded(k, 2)}.conf`,
    })),
  }
}

/** Each of `count` nodes requires up to five earlier ones. */
export function graphState(count: number): GraphState {
  return Array.from({ length: count }, (_, i) => {
    if (i < 5) return Array.from({ length: i }, (_, k) => k)
    return [...new Set([0, 1, 2, 3, 4].map((k) => (i * 7 + k * 131) % i))].sort((a, b) => a - b)
  })
}

/** Text of at least `size` bytes for a file that is copied as it is. */
export function copiedText(size: number, seed: number): string {
  const lines: string[] = []
  for (let bytes = 0, k = 0; bytes < size; k++) {
    const value = createHash('md5').update(`${seed}-${k}`).digest('hex')
    const line = `setting_${padded(k, 8)} = ${value}  # seed ${seed}`
    lines.push(line)
    bytes += line.length + 1
  }
  return `${lines.join('\n')}\n`
}

/** The bytes that a file made from the template has in the end. */
export function rendered({ i, port, key }: TemplateFile): string {
  return unrolled.replaceAll('@i@', `${i}`).replaceAll('@port@', `${port}`).replaceAll('@key@', key)
}

/** What a file has in it when somebody changed a line of it. */
function drifted(file: TemplateFile): string {
  return rendered(file).replace('listen = 127.0.0.1:', 'listen = 0.0.0.0:')
}

/** Every hundredth file, and at least one. */
function toDrift({ files }: FilesState): TemplateFile[] {
  return files.filter(({ i }) => i % 100 === Math.floor(files.length / 2) % 100)
}

/** Changes a line in 1 % of the files; returns how many those are. */
export function drift(state: FilesState, target: string): number {
  const files = toDrift(state)
  for (const file of files) writeFileSync(join(target, file.path), drifted(file))
  return files.length
}

/** Makes everything as it must be, the quick way. */
export function make(state: FilesState | MixedState, target: string): void {
  const { directories, files, copies, texts, links } = {
    copies: [],
    texts: [],
    links: [],
    ...state,
  }
  for (const path of ['', ...directories])
    mkdirSync(join(target, path), { recursive: true, mode: 0o755 })
  for (const file of files) put(join(target, file.path), rendered(file))
  for (const [seed, { path, size }] of copies.entries())
    put(join(target, path), copiedText(size, seed))
  for (const { path, text } of texts) put(join(target, path), text)
  for (const { path, to } of links) {
    rmSync(join(target, path), { force: true })
    symlinkSync(join(target, to), join(target, path))
  }
}

export function remove(target: string): void {
  rmSync(target, { recursive: true, force: true })
}

/** How many of the template's files are not as they must be: missing, or with other bytes, mode or owner. */
export function wrongFiles({ files }: FilesState, target: string): number {
  return files.filter((file) => {
    const path = join(target, file.path)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined || (stat.mode & 0o7777) !== 0o644 || stat.uid !== 0 || stat.gid !== 0)
      return true
    return readFileSync(path, 'utf8') !== rendered(file)
  }).length
}

/** Writes a file, the folders above it too, such that nobody but its owner can change it. */
export function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  writeFileSync(path, text)
  chmodSync(path, 0o644)
}
