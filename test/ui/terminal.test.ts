import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { type IPty, spawn } from '@lydell/node-pty'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { columnsOf } from '../../engine/ui/layout.ts'
import { LOOKS, linesOn } from './screen.ts'

const folder = mkdtempSync(join(tmpdir(), 'steward-terminal-'))
const program = join(folder, 'terminal.fixture.mjs')

beforeAll(async () => {
  await build({
    entryPoints: [join(import.meta.dirname, 'terminal.fixture.tsx')],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    external: ['react-devtools-core'],
    banner: {
      js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)",
    },
  })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('on a real terminal', () => {
  test.each([120, 40])(
    'Ctrl-C stops the run and not the program, at %i columns',
    async (columns) => {
      const terminal = start(columns)
      await terminal.shows('[y/N]')
      terminal.type('y\r')
      await terminal.shows('0 of 3 done, about')
      terminal.type('\x03')
      await terminal.shows('stopping after this')
      const { lines, written, exitCode } = await terminal.end()
      expect(exitCode).toBe(0)
      expect(written).not.toContain('\x1b[?1049h')
      for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(columns)
      const text = lines.join(' ').replace(/\s+/g, ' ')
      expect(text).toContain('created package[memcached] 1.6.18-1 3.2 s Interrupted: 2 changed')
      expect(text).not.toContain('of 3 done')
      expect(lines.filter((line) => line !== '').at(-1)).toBe('exits by itself: interrupted')
    },
  )

  test('colours what is shown, unless NO_COLOR says no', async () => {
    const coloured = start(80)
    await coloured.shows('[y/N]')
    coloured.type('y\r')
    await coloured.shows('0 of 3 done')
    coloured.type('\x03')
    expect((await coloured.end()).written).toContain('\x1b[32mcreated')

    const plain = start(80, { NO_COLOR: '1' })
    await plain.shows('[y/N]')
    plain.type('y\r')
    await plain.shows('0 of 3 done')
    plain.type('\x03')
    expect((await plain.end()).written).not.toMatch(LOOKS)
  })

  test.each([
    ['Ctrl-C', '\x03'],
    ['the end of the input', '\x04'],
    ['Enter alone', '\r'],
  ])('%s at the question is a no', async (_title, keys) => {
    const terminal = start(80)
    await terminal.shows('[y/N]')
    terminal.type(keys)
    const { lines, exitCode } = await terminal.end()
    expect(exitCode).toBe(3)
    expect(lines.filter((line) => line !== '')).toEqual([
      'Apply these changes? [y/N]',
      'Nothing was changed.',
    ])
  })
})

/** The program on a terminal of its own. */
function start(columns: number, environment: Record<string, string> = {}) {
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env
  const pty: IPty = spawn(process.execPath, [program], {
    name: 'xterm-256color',
    cols: columns,
    rows: 24,
    cwd: folder,
    env: { ...inherited, ...environment } as Record<string, string>,
  })
  let written = ''
  const watchers = new Set<() => void>()
  pty.onData((text) => {
    written += text
    for (const watch of watchers) watch()
  })
  const exited = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)))
  return {
    type: (keys: string) => pty.write(keys),
    /** Waits until the text stands there. */
    shows: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const watch = () => {
          if (!stripVTControlCharacters(written).includes(text)) return
          watchers.delete(watch)
          resolve()
        }
        void exited.then(() => reject(new Error(`it ended without "${text}":\n${written}`)))
        watchers.add(watch)
        watch()
      }),
    end: async () => {
      const exitCode = await exited
      return { exitCode, written, lines: linesOn(written).map(stripVTControlCharacters) }
    },
  }
}
