import { chownSync, copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Store } from '../../engine/record/store.ts'
import { type DiskEntry, makeTree, readTree } from '../support/disk-tree.ts'
import { type CommandResult, must, report } from './command.ts'

/** A tree that is managed on this machine (`--root`), with a state folder of its own. */
export interface Place {
  readonly folder: string
  readonly tree: string
  readonly state: string
  /** What strace says of a run. */
  readonly log: string
}

export type Tree = Readonly<Record<string, string>>

/** What a command in a root needs of the machine: a shell, and what steward starts commands with. */
const programs = ['/bin/sh', '/bin/cat', '/bin/touch', '/usr/bin/setpriv']

export const placeIn = (folder: string): Place => ({
  folder,
  tree: join(folder, 'tree'),
  state: join(folder, 'state'),
  log: join(folder, 'calls'),
})

/** The command that applies test::rooted of that generation, by the steward that `argv` starts. */
export function applyRooted(
  argv: readonly string[],
  { tree, state }: Place,
  generation = 2,
): string[] {
  const manifests = join(import.meta.dirname, 'manifests')
  const where = ['--manifests', manifests, '--root', tree, '--state', state]
  return [...argv, 'apply', '--yes', ...where, '--with', `generation=${generation}`, 'test::rooted']
}

/** Unpacks the archive that is tested into a folder of this machine; gives the command that starts it. */
export async function unpacked(folder: string): Promise<readonly string[]> {
  const archive = process.env.STEWARD_TEST_ARCHIVE
  if (archive === undefined) throw new Error('these tests are started by test/system/run.ts')
  await must(['tar', '-C', folder, '-xzf', archive])
  return [join(folder, 'usr/bin/steward')]
}

/**
 * Makes a tree of the first generation, which was applied, and then edited by hand: what a disturbed
 * run begins with.
 */
export async function makeRooted(argv: readonly string[], place: Place): Promise<void> {
  mkdirSync(place.tree, { recursive: true })
  await bringPrograms(place.tree)
  makeTree(place.tree, {
    'etc/passwd': 'root:x:0:0::/:/bin/sh\n',
    'etc/group': 'root:x:0:\n',
    'etc/cron.d': {},
    tmp: { mode: 0o1777 },
    'srv/rooted/parts/lines': 'line 0\nline 1\nother\n',
    'srv/rooted/parts/block': 'mine\n',
    'srv/rooted/gone': 'by hand\n',
    'srv/rooted/gone-link': { target: 'gone' },
    'srv/rooted/gone-folder/deep/file': 'by hand\n',
    'srv/rooted/gone-folder/link': { target: 'deep' },
  })
  await must(applyRooted(argv, place, 1))
  const edited: Record<string, DiskEntry> = {
    large: `${'by hand\n'.repeat(20_000)}`,
    merged: 'first of 1\n\n\n\n\nlast, by hand\n',
    secret: { content: 'a secret by hand\n', mode: 0o600 },
    'purged/stranger': 'by hand\n',
  }
  for (let at = 0; at < 10; at++) edited[`edited-${at}`] = `by hand ${at}\n`
  makeTree(join(place.tree, 'srv/rooted'), edited)
  rmSync(join(place.tree, 'srv/rooted/link'))
  symlinkSync('by-hand', join(place.tree, 'srv/rooted/link'))
  chownSync(join(place.tree, 'srv/rooted/owner'), 7, 7)
}

/** The programs with their libraries, as ldd(1) tells them. */
async function bringPrograms(tree: string): Promise<void> {
  const { stdout } = await must(['ldd', ...programs])
  const libraries = [...new Set(stdout.match(/\/\S+\.so[^\s:]*/g))]
  for (const path of [...programs, ...libraries]) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    copyFileSync(path, join(tree, path))
  }
}

/** Makes the place what another one is. */
export async function copyPlace(from: Place, to: Place): Promise<void> {
  for (const folder of [to.tree, to.state]) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(dirname(folder), { recursive: true })
  }
  await must(['cp', '-a', from.tree, from.state, to.folder])
}

/** What a run may change, by path. */
export function rootedTree({ tree }: Place): Tree {
  return { ...readTree(tree, 'srv'), ...readTree(tree, 'etc'), ...readTree(tree, 'tmp') }
}

/** What a disturbed run, and the one that follows it, are held against. */
export interface Expected {
  readonly before: Tree
  readonly goal: Tree
}

/** What is wrong with a place after a run that was disturbed: nothing may be torn, and nothing lost. */
export function lossesIn(place: Place, { before, goal }: Expected): string[] {
  const now = rootedTree(place)
  const kept = keptIn(place.state)
  const losses: string[] = []
  for (const path of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [was, is, wanted] = [before[path], now[path], goal[path]]
    if (is === was || isTransient(path)) continue
    const isWhole = is === wanted || isUnfinishedDirectory(is, was)
    if (!isWhole && !isBetween(path, is, { before, goal }))
      losses.push(`${path} is torn: ${shortened(is)}`)
    const text = contentOf(was)
    if (text !== undefined && text !== contentOf(is) && !kept.has(`/${path} ${text}`))
      losses.push(`${path} is in no bucket: ${shortened(was)}`)
  }
  return losses
}

/** A directory is made before it has its mode and owner. */
function isUnfinishedDirectory(is: string | undefined, was: string | undefined): boolean {
  return was === undefined && is?.startsWith('directory') === true
}

/** What commands write by themselves, and what a next run clears away. */
function isTransient(path: string): boolean {
  return /^srv\/rooted\/(seen|stamp)$|(^|\/)\.steward-\d+-\d+$|^tmp\/steward-/.test(path)
}

/** Several resources keep a part of these files each: every line is of the one version or the other. */
function isBetween(path: string, is: string | undefined, { before, goal }: Expected): boolean {
  if (!path.startsWith('srv/rooted/parts/')) return false
  const lines = `${before[path]}\n${goal[path]}`.split('\n')
  return is?.split('\n').every((line) => lines.includes(line)) === true
}

/** Of a file its text, of a link its target; modes and owners are on record by themselves. */
function contentOf(entry: string | undefined): string | undefined {
  return entry?.match(/^(?:file \d+|link)(?: \d+:\d+)? ([\s\S]*)/)?.[1]
}

/** What the bucket holds, each as its path and its text or target. */
function keptIn(state: string): ReadonlySet<string> {
  const texts = Store.reading(state, ({ bucket, contents }) =>
    bucket.list().map(({ path, target, hash }) => {
      const text = target ?? (hash === undefined ? '' : contents.get(hash)?.toString())
      return `${path} ${text ?? ''}`
    }),
  )
  return new Set(texts)
}

/** Whether all that the run was to do is done, the refreshes too. */
export function isDone(place: Place, { goal }: Expected): boolean {
  return isDeepStrictEqual(rootedTree(place), goal) && owedIn(place).length === 0
}

/** What is wrong with how a run that met a refused call told of it. */
export function untold(result: CommandResult, place: Place, done: boolean): string[] {
  const text = `${result.stdout}\n${result.stderr}`
  const told = text.split('\n').filter((line) => /error|help|^ +at /.test(line))
  const wrong = (what: string) => [what, `exit status ${result.exitCode}`, ...told].join('\n')
  if (/bug in the engine|^\s+at .*:\d+:\d+/m.test(text)) return [wrong('it tells of a bug')]
  if (result.exitCode === 0) return done ? [] : [wrong('exit status 0, but not all is done')]
  const error = /^ *error: (.*) \[[a-z-]+\](; .+|\n +help .+)?/m.exec(text)
  if (error === null) return [wrong('no error is told')]
  const [, sentence = '', help] = error
  const isNamed =
    sentence.includes(place.state) || sentence.includes('/srv/') || /\/etc\//.test(sentence)
  return [
    ...(isNamed ? [] : [wrong('the error names no path')]),
    ...(help === undefined ? [wrong('the error shows no way out')] : []),
  ]
}

/** What is wrong after an undisturbed run that followed a disturbed one. */
export function unfinished(result: CommandResult, place: Place, { goal }: Expected): string[] {
  if (result.exitCode !== 0) return [`the next run fails\n${report(result)}`]
  const now = rootedTree(place)
  const differ = [...new Set([...Object.keys(goal), ...Object.keys(now)])]
    .filter((path) => now[path] !== goal[path])
    .map((path) => `${path} is ${shortened(now[path])} after the next run`)
  const left = readdirSync(place.state, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes('incoming'))
    .map((path) => `${path} is left in the state folder`)
  return [...differ, ...left, ...owedIn(place)]
}

/** Who is still owed a refresh, by whom. */
function owedIn({ state }: Place): string[] {
  const owed = Store.reading(state, ({ runs }) => runs.owed()) ?? []
  return owed.map(({ listener, source }) => `${listener} is owed a refresh by ${source}`)
}

const shortened = (text = 'absent'): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)
