import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../compile/road.ts'

test('validate tells all twelve mistakes of a folder, each with its place', async () => {
  const folder = join(import.meta.dirname, 'twelve-mistakes')
  const main = join(import.meta.dirname, '../../engine/cli/start.ts')
  const root = temporaryFolder()
  const { status, text } = await new Promise<{ status: unknown; text: string }>((resolve) => {
    const argv = [main, 'validate', '--manifests', folder, '--root', root]
    execFile(process.execPath, argv, { cwd: folder }, (error, _stdout, stderr) =>
      resolve({ status: error?.code ?? 0, text: stderr }),
    )
  })
  expect(status).toBe(1)
  const lines = text.trimEnd().split('\n')
  expect(lines.pop()).toBe('12 errors')
  expect(lines.filter((line) => !/^[\w/.]+:\d+:\d+: error: /.test(line))).toEqual([])
  const brief = lines.map((line) => {
    const [, place, code] = /^(\S+): error: .*? \[([a-z-]+)\]/.exec(line) ?? []
    const help = /did you mean "[^"]+"\?/.exec(line)?.[0]
    return [place, code, ...(help ? [help] : [])].join(' ')
  })
  expect(brief).toMatchInlineSnapshot(`
    [
      "circle.yaml:4:5 cycle",
      "mode.yaml:5:11 yaml-unquoted",
      "reference.yaml:7:16 unresolved-reference did you mean "file[/etc/server.conf]"?",
      "server.yaml:5:5 unknown-attribute did you mean "content"?",
      "server.yaml:6:5 unknown-type did you mean "service"?",
      "server.yaml:9:13 wrong-value did you mean "running"?",
      "templates.yaml:9:15 template-missing did you mean "motd.hbs"?",
      "templates/motd.hbs:2:3 template-name did you mean "greeting"?",
      "twice.yaml:7:14 duplicate-resource",
      "values.yaml:3:11 unknown-class did you mean "zulip::nginx"?",
      "values.yaml:7:15 unknown-name did you mean "config"?",
      "values.yaml:9:23 expression-syntax",
    ]
  `)
})
