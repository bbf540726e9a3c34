import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { buildArchives, buildRepository } from './build.ts'
import { treeFiles } from './tree-files.ts'
import { type TreeName, treeNames, treeOf } from './trees.ts'

const scratch = mkdtempSync(join(tmpdir(), 'steward-miniature-'))
afterAll(() => rmSync(scratch, { recursive: true }))

const run = (file: string, ...args: readonly string[]): string =>
  execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe' }).trimEnd()

describe('buildArchives', () => {
  test('gives each release as one folder, built and without what built it', async () => {
    const { first } = await buildArchives(['first'], join(scratch, 'one'))
    expect(basename(first)).toBe('zulip-server-9.1.tar.gz')
    const members = run('tar', '-tzf', first).split('\n')
    expect(members.filter((path) => !path.startsWith('zulip-server-9.1/'))).toEqual([])
    const inside = members.map((path) => path.slice('zulip-server-9.1/'.length))
    expect(inside).toEqual(
      expect.arrayContaining(['manage.py', 'zerver/', 'prod-static/serve/', 'zulip-git-version']),
    )
    expect(inside.filter((path) => /^(tools|web)\/|\.git|__pycache__/.test(path))).toEqual([])
    const files = run('tar', '-xzOf', first, 'zulip-server-9.1/zulip-git-version')
    expect(files).toBe('9.1\n9.1')
  })

  test('gives the same bytes for the same files', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map((folder) => buildArchives(['both'], join(scratch, folder))),
    )
    expect(readFileSync(a?.both ?? '')).toEqual(readFileSync(b?.both ?? ''))
  })

  test('takes what was built before', async () => {
    const folder = join(scratch, 'kept')
    const { same } = await buildArchives(['same'], folder)
    const before = statSync(same, { bigint: true }).ctimeNs
    expect(await buildArchives(['same'], folder)).toEqual({ same })
    expect(statSync(same, { bigint: true }).ctimeNs).toBe(before)
  })

  test('gives an archive that ends too early, where that is what the tree is for', async () => {
    const archives = await buildArchives(['bad-archive'], join(scratch, 'bad'))
    expect(() => run('tar', '-tzf', archives['bad-archive'])).toThrow()
  })
})

const withGit = test.skipIf(spawnSync('git', ['--version']).error !== undefined)

describe('buildRepository (skipped where there is no git)', () => {
  withGit(
    'has a branch of its name and a tag of its version for each tree, and says of each which it is',
    async () => {
      const repository = await buildRepository(join(scratch, 'git'))
      const describeRef = (ref: string) =>
        run('git', '-C', repository, 'describe', '--always', '--tags', '--match=[0-9]*', ref)
      for (const name of treeNames) expect(describeRef(name)).toBe(treeOf(name).version)
      expect(describeRef('main')).toMatch(/^9\.2-1-g/)
      expect(run('git', '-C', repository, 'show', 'both:version.py')).toContain('"10.1+git"')
      expect(run('git', '-C', repository, 'ls-tree', 'first', 'manage.py')).toMatch(/^100755 /)
      // What a build makes is not in it.
      expect(run('git', '-C', repository, 'ls-tree', '--name-only', 'first')).not.toContain(
        'prod-static',
      )
    },
  )
})

describe('treeFiles', () => {
  const differing = (name: TreeName): string[] => {
    const [base, files] = [treeFiles('first'), treeFiles(name)]
    const paths = new Set([...base.keys(), ...files.keys()])
    return [...paths].filter((path) => {
      const [one, other] = [base.get(path)?.content, files.get(path)?.content]
      return one === undefined || other === undefined || !one.equals(other)
    })
  }

  test.each([
    ['same', ['version.py']],
    [
      'migration',
      ['version.py', 'zerver/migrations/0004_translated.py', 'zerver/models/message.py'],
    ],
    ['without-migration', ['version.py', 'zerver/migrations/0003_draft.py']],
    ['configuration', ['requirements/prod.txt', 'version.py']],
  ] as const)('%s differs from the first in what it is for, and in nothing else', (name, paths) => {
    expect(differing(name).toSorted()).toEqual(paths)
  })

  test('every tree has a version of its own', () => {
    const versions = treeNames.map((name) => treeOf(name).version)
    expect(new Set(versions).size).toBe(versions.length)
  })
})

withGit(
  'a build in a tree takes the version that git tells, where it was asked (skipped where there is no git)',
  () => {
    const tree = join(scratch, 'tree')
    cpSync(join(import.meta.dirname, 'base'), tree, { recursive: true })
    const build = () =>
      execFileSync(process.execPath, ['tools/build.js'], { cwd: tree, encoding: 'utf8' })
    expect(build()).toMatch(
      /^0\.0\+git: 4 files, \d+ bytes to transfer, [\d.]+ s, \d+ MB at most\n$/,
    )
    execFileSync('git', ['init', '-q', tree])
    const git = ['-C', tree, '-c', 'user.name=Zulip', '-c', 'user.email=zulip@example.org']
    execFileSync('git', [...git, 'add', '.'])
    execFileSync('git', [...git, 'commit', '-q', '-m', 'All of it'])
    execFileSync('git', [...git, 'tag', '9.7.1'])
    execFileSync(join(tree, 'tools/cache-zulip-git-version'))
    expect(readFileSync(join(tree, 'zulip-git-version'), 'utf8')).toBe('9.7.1\n9.7.1\n')
    expect(build()).toMatch(/^9\.7\.1: /)
    expect(run('git', '-C', tree, 'status', '--short')).toBe('')
  },
)
