import { expect, test } from 'vitest'
import { folderWith, steward } from './steward.ts'

const manifests = {
  'site/own/web.yaml': `class: own::web
summary: The web server.
incomplete: [It has no pages.]
parameters:
  port: { type: integer, minimum: 1, from: web.port, default: 80, description: Where it listens. }
  password: { type: string, from: secrets.web }
`,
  'site/own/website.yaml': 'class: own::website\nalias_of: own::web\n',
  'site/own/job.yaml': 'define: own::job\nsummary: A job.\n',
  'site/own/restart.yaml': 'class: own::restart\nsteps: []\n',
}
const from = ['--manifests', 'site']

test('lists what there is by kind, with summaries and parameters', () => {
  const { status, stdout } = steward(folderWith(manifests), 'classes', ...from)
  expect(status).toBe(0)
  const [classes, others, defines, procedures] = stdout.split('\n\n')
  expect(classes).toMatch(/own::web +The web server\.\n +port, password/)
  expect(classes).toContain('zulip::nginx')
  expect(others).toMatch(/own::website +stands for own::web/)
  expect(defines).toMatch(/own::job +A job\./)
  expect(procedures).toContain('own::restart')
})

test('tells all of one that is named', () => {
  const { stdout } = steward(folderWith(manifests), 'classes', 'own::web', ...from)
  expect(stdout).toContain('port  (an integer from 1 up; web.port in zulip.conf; default: 80)')
  expect(stdout).toContain('Where it listens.')
  expect(stdout).toContain('password  (text; the secret web; no default)')
  expect(stdout).toContain('missing: It has no pages.')
  expect(stdout).not.toContain('zulip::nginx')
})

test('is an array of objects as JSON', () => {
  const { stdout } = steward(folderWith(manifests), 'classes', '--json', ...from)
  expect(JSON.parse(stdout)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'own::website', kind: 'alias', aliasOf: 'own::web' }),
      expect.objectContaining({
        name: 'own::web',
        kind: 'class',
        file: 'site/own/web.yaml',
        parameters: [
          expect.objectContaining({ name: 'port', from: 'web.port', default: 80 }),
          expect.objectContaining({ name: 'password', type: 'text' }),
        ],
      }),
    ]),
  )
})

test('shows the others where a manifest is at fault, keeps JSON clean, and fails', () => {
  const folder = folderWith({ ...manifests, 'site/own/broken.yaml': 'class: own::brken\n' })
  const { status, stdout, stderr } = steward(folder, 'classes', '--json', ...from)
  expect(status).toBe(1)
  expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ name: 'own::web' }))
  expect(stderr).toContain('site/own/broken.yaml:1:')
})

test('refuses a name that does not exist, and offers the nearest', () => {
  const { status, stdout, stderr } = steward(folderWith(manifests), 'classes', 'own::wb', ...from)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain('did you mean "own::web"?')
})
