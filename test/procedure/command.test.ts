import { existsSync, globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderWith, steward } from '../cli/steward.ts'

/**
 * `steward apply work` on this machine, with all that it reads in a folder; a file
 * `kill` there kills it once, in its block.
 */
function procedure(resume = 'continue') {
  const folder = folderWith({ 'zulip.conf': '', 'secrets.conf': '' })
  const note = (word: string) => `command: [/bin/sh, -c, "echo ${word} >> ${folder}/log"]`
  const files = folderWith({
    'work.yaml': `class: work
resume: ${resume}
parameters:
  word: { type: string, default: none }
  password: { type: string, from: secrets.password, default: none }
  token: { type: string, sensitive: true, default: none }
steps:
  - query: answer
    command: [/bin/sh, -c, 'printf "answer-%s" "$TOKEN" | tr a-z A-Z']
    environment: { TOKEN: "$\{{ token }}" }
  - exec: outside
    ${note('outside')}
  - block: switch
    steps:
      - exec: inside
        ${note('inside-${{ word }}')}
      - exec: last
        command: [/bin/sh, -c, "echo last >> ${folder}/log; if rm ${folder}/kill 2>/dev/null; then kill -9 $PPID; fi"]
    rescue:
      - exec: mend
        ${note('mend')}
  - file: ${folder}/done
    content: done
`,
  })
  const apply = (...args: readonly string[]) =>
    steward(
      folder,
      'apply',
      'work',
      '--manifests',
      files,
      '--config',
      join(folder, 'zulip.conf'),
      '--secrets',
      join(folder, 'secrets.conf'),
      '--site',
      join(folder, 'no-site.yaml'),
      '--state',
      join(folder, 'state'),
      ...args,
    )
  const log = () => {
    const file = join(folder, 'log')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }
  const killNext = () => writeFileSync(join(folder, 'kill'), '')
  return { folder, manifest: join(files, 'work.yaml'), apply, log, killNext }
}
const yes = '--yes'
const rewrite = (file: string, from: string, to: string) =>
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))

describe.skipIf(process.geteuid?.() === 0 ? false : 'only root may apply')(
  'steward apply PROCEDURE',
  () => {
    test('goes on with a run that was killed, and refuses other arguments meanwhile', () => {
      const { apply, log, killNext } = procedure()
      killNext()
      expect(apply(yes, '--with', 'word=a').status).not.toBe(0)
      const refused = apply(yes, '--with', 'word=b')
      expect(refused.status).toBe(1)
      expect(refused.stderr).toContain('expected --with word=a')
      expect(refused.stderr).toContain('found --with word=b')
      expect(log()).toEqual(['outside', 'inside-a', 'last'])
      expect(apply(yes, '--with', 'word=a').status).toBe(0)
      expect(log().slice(3)).toEqual(['inside-a', 'last'])
      expect(apply(yes, '--with', 'word=b').status).toBe(0)
    })

    test('shows in a dry run where it would go on, or that it would be refused', () => {
      const { apply, log, killNext } = procedure()
      killNext()
      apply(yes, '--with', 'word=a')
      const { status, stdout } = apply('--dry-run', '--with', 'word=a')
      expect([status, stdout]).toEqual([0, expect.stringContaining('exec outside: done before')])
      expect(stdout).toContain('query answer: done before')
      expect(stdout).toContain('exec last: would change')
      const other = apply('--dry-run', '--with', 'word=b')
      expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('expected --with')])
      expect(apply('--dry-run', '--restart', '--with', 'word=b').stdout).not.toContain('before')
      expect(log()).toHaveLength(3)
      expect(apply(yes, '--with', 'word=a').status).toBe(0)
    })

    test('shows no secret of an open run', () => {
      const { apply, killNext } = procedure()
      killNext()
      apply(yes, '--with', 'password=correct-horse')
      const { stderr } = apply(yes, '--with', 'password=battery-staple')
      expect(stderr).toContain('expected --with password=(secret)')
      expect(stderr).not.toMatch(/correct-horse|battery-staple/)
    })

    test('keeps what is secret of an open run beside the database, and only while it is open', () => {
      const { apply, killNext, folder } = procedure()
      const holding = () =>
        globSync('state/**', { cwd: folder, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .filter((path) => /wally|WALLY|battery-staple/.test(readFileSync(path, 'latin1')))
      const given = [
        yes,
        '--with',
        'token=wally',
        '--with=password=battery-staple',
        '--with',
        'word=a',
      ]
      killNext()
      apply(...given)
      const [kept = '', ...others] = holding()
      expect(kept).toMatch(/objects\/open-/)
      expect(others).toEqual([])
      expect(statSync(kept).mode & 0o777).toBe(0o600)
      const ended = apply(...given)
      expect([ended.status, ended.stdout]).toEqual([0, expect.stringContaining('done before')])
      expect(holding()).toEqual([])
      killNext()
      apply(...given)
      rmSync(holding()[0] as string)
      expect(apply(...given).status).toBe(1)
      expect(apply(...given, '--restart').status).toBe(0)
      expect(holding()).toEqual([])
    })

    test('goes on only where its steps are those that it began with', () => {
      const { apply, log, killNext, manifest } = procedure()
      killNext()
      apply(yes)
      const text = readFileSync(manifest, 'utf8')
      rewrite(manifest, 'steps:\n', 'steps:\n  - exec: added\n    command: [/bin/true]\n')
      const { status, stderr } = apply(yes)
      expect(status).toBe(1)
      expect(stderr).toContain('the steps of work are not those that its open run began with')
      writeFileSync(manifest, `# a word about it\n${text}`)
      expect(apply(yes).status).toBe(0)
      expect(log().slice(3)).toEqual(['inside-none', 'last'])
    })

    test('begins anew with --restart', () => {
      const { apply, log, killNext } = procedure()
      killNext()
      apply(yes)
      expect(apply(yes, '--restart', '--with', 'word=b').status).toBe(0)
      expect(log().slice(3)).toEqual(['outside', 'inside-b', 'last'])
    })

    test('ends an open run with --abandon, through its rescue', () => {
      const { apply, log, killNext, folder } = procedure()
      killNext()
      apply(yes)
      expect(apply(yes, '--abandon').status).toBe(0)
      expect(log().slice(3)).toEqual(['mend'])
      expect(existsSync(join(folder, 'done'))).toBe(false)
      const again = apply(yes, '--abandon')
      expect([again.status, again.stderr]).toEqual([
        1,
        expect.stringContaining('nothing to abandon'),
      ])
    })

    test('closes an open run first where its answers age (resume: anew)', () => {
      const { apply, log, killNext } = procedure('anew')
      killNext()
      apply(yes)
      expect(apply('--dry-run').stdout).not.toContain('done before')
      expect(apply(yes).status).toBe(0)
      expect(log().slice(3)).toEqual(['mend', 'outside', 'inside-none', 'last'])
    })

    describe.each(['continue', 'anew'])('with changed manifests (resume: %s)', (resume) => {
      const end = resume === 'anew' ? [yes] : [yes, '--abandon']

      test('takes the rescue of the block that it was in, wherever that stands now', () => {
        const { apply, log, killNext, manifest } = procedure(resume)
        killNext()
        apply(yes)
        rewrite(manifest, 'steps:\n', 'steps:\n  - exec: added\n    command: [/bin/true]\n')
        expect(apply(...end).status).toBe(0)
        expect(log()[3]).toBe('mend')
      })

      test('says so where that block is no more, and closes the run', () => {
        const { apply, log, killNext, manifest } = procedure(resume)
        killNext()
        apply(yes)
        rewrite(manifest, 'block: switch', 'block: changed')
        const { status, stdout } = apply(...end)
        expect(status).toBe(4)
        expect(stdout).toContain(
          'block[switch], in which the run was cut off, is not among the steps of work any more: its rescue and always were not taken, and the run is closed',
        )
        expect(log().slice(3)).toEqual([])
        expect(apply(yes, '--with', 'word=b').status).toBe(0)
        expect(log().slice(3)).toEqual(['outside', 'inside-b', 'last'])
      })
    })

    test('changes nothing in a dry run, nor where nobody can be asked', () => {
      const { apply, log, folder } = procedure()
      const dry = apply('--dry-run')
      expect(dry.status).toBe(0)
      expect(dry.stdout).toContain('inside')
      const unasked = apply()
      expect(unasked.status).toBe(1)
      expect(unasked.stderr).toContain('no terminal to ask on')
      expect(log()).toEqual([])
      expect(existsSync(join(folder, 'state'))).toBe(false)
    })
  },
)
