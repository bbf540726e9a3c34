import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { must } from '../system/command.ts'
import { type TreeFile, treeFiles } from './tree-files.ts'
import { type TreeName, treeNames, treeOf } from './trees.ts'

const cache = join(
  process.env.STEWARD_TEST_CACHE ?? join(homedir(), '.cache', 'steward-test-hosts'),
  'miniature',
)

/**
 * Builds the archive `zulip-server-VERSION.tar.gz` of each tree; gives their paths. What was built before of the same
 * files is taken from the folder, which other processes may use at the same time. The same files give the same bytes.
 */
export async function buildArchives<Name extends TreeName>(
  names: readonly Name[],
  folder = cache,
): Promise<Record<Name, string>> {
  const built = await Promise.all(
    names.map(async (name) => [name, await buildArchive(name, folder)] as const),
  )
  return Object.fromEntries(built) as Record<Name, string>
}

async function buildArchive(name: TreeName, folder: string): Promise<string> {
  const { version, isCutOff = false } = treeOf(name)
  const files = treeFiles(name)
  const top = `zulip-server-${version}`
  const archive = `${top}.tar.gz`
  const kept = await once(folder, [name, ...describe(files)], async (work) => {
    const tree = join(work, top)
    writeTree(tree, files)
    writeFileSync(join(tree, 'version'), `${version}\n`)
    writeFileSync(join(tree, 'zulip-git-version'), `${version}\n${version}\n`)
    await must([process.execPath, 'tools/build.js'], { cwd: tree })
    // As in Zulip's own: what builds a tree is not in its archive.
    for (const path of ['.gitignore', 'tools', 'web']) rmSync(join(tree, path), { recursive: true })
    const sameBytes =
      '--sort=name --mtime=2026-01-01T00:00:00Z --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=gnu'
    await must(
      [
        'tar',
        '--create',
        `--file=${archive}`,
        '--use-compress-program=gzip -n',
        ...sameBytes.split(' '),
        top,
      ],
      { cwd: work },
    )
    rmSync(tree, { recursive: true })
    if (isCutOff) truncateSync(join(work, archive), 10_000)
  })
  return join(kept, archive)
}

/**
 * Builds the bare repository that all trees come from; gives its path. Each has a branch of its name and a tag of its
 * version, one commit after `first`. `main` is one commit after `same` that has no tag.
 */
export async function buildRepository(folder = cache): Promise<string> {
  const trees = treeNames.map((name) => [name, treeFiles(name)] as const)
  const description = trees.flatMap(([name, files]) => [
    name,
    treeOf(name).version,
    ...describe(files),
  ])
  const kept = await once(folder, description, async (work) => {
    const repository = join(work, 'zulip.git')
    await must(['git', 'init', '--quiet', '--bare', '--initial-branch=main', repository])
    await must(['git', '-C', repository, 'fast-import', '--quiet'], { stdin: history(trees) })
    await must(['git', '-C', repository, 'update-server-info'])
  })
  return join(kept, 'zulip.git')
}

/** Everything that git is to hold, in the words of git-fast-import(1). */
function history(trees: readonly (readonly [TreeName, ReadonlyMap<string, TreeFile>])[]): string {
  const who = 'Zulip <zulip@example.org> 1767225600 +0000'
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`
  const put = (path: string, text: string, isExecutable = false) =>
    `M ${isExecutable ? '100755' : '100644'} inline ${path}\n${data(text)}`
  const commit = (branch: string, from: string | undefined, message: string, changes: string) =>
    `commit refs/heads/${branch}\ncommitter ${who}\n${data(message)}${from === undefined ? '' : `from refs/heads/${from}\n`}${changes}`
  const releases = trees.map(([name, files]) => {
    const { version } = treeOf(name)
    const all = [...files].map(([path, { content, isExecutable }]) =>
      put(path, content.toString(), isExecutable),
    )
    const parent = name === 'first' ? undefined : 'first'
    return `${commit(name, parent, `Release ${version}.`, `deleteall\n${all.join('')}`)}tag ${version}\nfrom refs/heads/${name}\ntagger ${who}\n${data(version)}`
  })
  return `${releases.join('')}${commit('main', 'same', 'Say what is next.', put('NEXT', 'More of the same.\n'))}`
}

/** What was made of this description: from the folder, or made now in a new folder that gets its name when it is whole. */
async function once(
  folder: string,
  description: readonly string[],
  make: (work: string) => Promise<void>,
): Promise<string> {
  const kept = join(folder, hash([...own(), ...description].join('\0')))
  if (existsSync(kept)) return kept
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, 'new-'))
  try {
    await make(work)
    renameSync(work, kept)
  } catch (error) {
    rmSync(work, { recursive: true, force: true })
    // Somebody else was faster.
    if (!existsSync(kept)) throw error
  }
  return kept
}

/** What is made depends on how it is made. */
const own = (): string[] =>
  ['build.ts', 'trees.ts'].map((file) => hash(readFileSync(join(import.meta.dirname, file))))

const describe = (files: ReadonlyMap<string, TreeFile>): string[] =>
  [...files].map(([path, { content, isExecutable }]) => `${path} ${isExecutable} ${hash(content)}`)

function writeTree(tree: string, files: ReadonlyMap<string, TreeFile>): void {
  for (const [path, { content, isExecutable }] of files) {
    mkdirSync(join(tree, dirname(path)), { recursive: true })
    writeFileSync(join(tree, path), content, { mode: isExecutable ? 0o755 : 0o644 })
  }
}

function hash(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 20)
}
