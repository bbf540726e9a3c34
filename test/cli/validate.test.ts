import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folderWith, steward } from './steward.ts'

test('counts the manifests of the folder given in which nothing is wrong', () => {
  const cwd = folderWith({ 'site/own.yaml': 'class: own\n', 'site/templates/no.yaml': 'a: b\n' })
  expect(steward(cwd, 'validate', '--manifests', 'site')).toMatchObject({
    status: 0,
    stdout: '1 manifest, nothing wrong.\n',
  })
})

test.each([
  ['a folder that is not there', 'nowhere', 'found nothing there'],
  ['a single manifest', 'own.yaml', 'found a file'],
])('refuses %s in place of a folder of manifests', (_title, given, found) => {
  const cwd = folderWith({ 'own.yaml': 'class: own\n' })
  const { status, stdout, stderr } = steward(cwd, 'validate', '--manifests', given)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toContain(`${join(cwd, given)} is no folder of manifests [usage]; ${found}; `)
})

test('warns of files that no class can be named after, but not of hidden ones', () => {
  const files = { 'site/My-own.yml': '', 'site/own.yaml': 'class: own\n', 'site/.ci.yml': '' }
  const { status, stdout, stderr } = steward(folderWith(files), 'validate', '--manifests', 'site')
  expect({ status, stdout }).toEqual({ status: 0, stdout: '1 manifest, nothing wrong.\n' })
  expect(stderr).toMatch(/^warning: site\/My-own\.yml is passed over: .*such as my_own\.yaml\n/)
})

test.each([
  ['named', ['old']],
  ['listed in zulip.conf', []],
])('tells a class that is %s by an earlier name how it is called today', (_title, named) => {
  const cwd = folderWith({
    'site/new.yaml': 'class: new\n',
    'site/old.yaml': 'class: old\nalias_of: new\n',
    'zulip.conf': '[machine]\npuppet_classes = old\n',
  })
  const flags = ['--manifests', 'site', '--config', 'zulip.conf']
  const { status, stderr } = steward(cwd, 'validate', ...flags, ...named)
  expect(status).toBe(0)
  expect(stderr).toContain('old is an earlier name of new')
  expect(stderr).toContain('steward conf migrate')
})

const site = {
  'site/web.yaml': `class: web
parameters:
  port: { type: integer, from: web.port }
assert:
  - { that: is_set(port), message: there is no port }
notices:
  - message: the web is on
resources:
  - file: /srv/port
    content: "\${{ string(port) }}"
`,
  'site/mail.yaml': 'class: mail\nnotices:\n  - message: the mail is on\n',
}
const flags = ['--manifests', 'site', '--config', 'zulip.conf']
const listing = (text: string) => folderWith({ ...site, 'zulip.conf': text })

test('compiles the classes that zulip.conf lists with what it says', () => {
  const good = listing('[machine]\npuppet_classes = web\n[web]\nport = 80\n')
  expect(steward(good, 'validate', ...flags)).toMatchObject({
    status: 0,
    stdout: '2 manifests and the class that zulip.conf lists, nothing wrong.\n',
  })
  const without = steward(listing('[machine]\npuppet_classes = web\n'), 'validate', ...flags)
  expect(without).toMatchObject({ status: 1, stdout: '' })
  expect(without.stderr).toContain('there is no port [assertion-failed]')
})

test('names a class that zulip.conf lists and that does not exist, at its place', () => {
  const { status, stderr } = steward(
    listing('[machine]\npuppet_classes = mail, wbe\n'),
    'validate',
    ...flags,
  )
  expect(status).toBe(1)
  expect(stderr).toMatch(/^zulip\.conf:2:24: error: there is no class wbe .*did you mean "web"\?$/m)
})

test('refuses a list of classes that is none, and a zulip.conf that is not there', () => {
  const said = (folder: string, ...more: string[]) =>
    steward(folder, 'validate', ...flags, ...more).stderr
  expect(said(listing('[web]\nport = 80\n'))).toContain('zulip.conf lists no classes')
  expect(said(listing('[machine]\npuppet_classes = web mail\n'))).toContain('write web, mail')
  const none = folderWith(site)
  for (const named of [[], ['mail']])
    expect(said(none, ...named)).toContain('there is no zulip.conf, which --config names')
})

test('tells of a zulip.conf that lists no class, is empty or is not there', () => {
  const empty = steward(listing('[machine]\npuppet_classes =\n'), 'validate', ...flags)
  expect(empty.status).toBe(0)
  expect(empty.stderr).toMatch(
    /^zulip\.conf:2:1: warning: zulip\.conf lists no classes: puppet_classes is empty/,
  )
  expect(steward(listing(''), 'validate', ...flags).stderr).toMatch(
    /^notice: zulip\.conf is empty: /m,
  )
  const none = folderWith({ ...site, 'tree/x': '' })
  expect(steward(none, 'validate', '--manifests', 'site', '--root', 'tree').stderr).toMatch(
    /^notice: there is no tree\/etc\/zulip\/zulip\.conf: only the manifests were checked/m,
  )
})

test('tells of a comment behind a value, which is a part of it', () => {
  const text = '[machine]\npuppet_classes = web\n[web]\nport = 80 # the usual\n'
  const refused = steward(listing(text), 'validate', ...flags)
  expect(refused.status).toBe(1)
  expect(refused.stderr).toMatch(
    /^zulip\.conf:4:8: error: \[web\] port is not an integer.* found 80 # the usual; give the comment a line of its own, above the setting: # the usual$/m,
  )
  const cwd = listing('[machine]\npuppet_classes = mail\n[mail]\nfrom = me ; by day\n')
  expect(steward(cwd, 'validate', ...flags).stderr).toMatch(
    /^zulip\.conf:4:8: warning: the value of mail\.from holds what looks like a comment/m,
  )
  const classes = listing('[machine]\npuppet_classes = web # mine\n')
  expect(steward(classes, 'validate', ...flags).stderr).toMatch(
    /^zulip\.conf:2:18: error: the list of classes is separated by blanks .*; give the comment a line of its own, and write web\n(?!.*warning)/s,
  )
})

test('of the shipped classes, only those that zulip.conf lists have something to say', () => {
  const said = (classes: string) => {
    const cwd = folderWith({ 'zulip.conf': `[machine]\npuppet_classes = ${classes}\n` })
    return steward(cwd, 'validate', '--config', 'zulip.conf').stderr
  }
  expect(said('zulip::timesync')).toBe('')
  expect(said('zulip::nagios')).toMatch(/^notice: zulip::nagios: .*\n$/)
})

test.each([
  ['validate', []],
  ['apply', ['--dry-run', '--root', 'tree', '--state', 'state']],
])('%s warns of a setting that nobody reads and that looks like another', (command, more) => {
  const cwd = folderWith({
    ...site,
    'tree/srv/x': '',
    'zulip.conf': '[machine]\npuppet_classes = web\n[web]\nport = 80\nprot = 81\n',
  })
  const { status, stderr } = steward(cwd, command, ...more, ...flags)
  expect(status).toBe(0)
  expect(stderr).toMatch(/^zulip\.conf:5:1: warning: no class reads web\.prot .*"web\.port"\?.*$/m)
})

test('what is missing because its name is misspelt is told with its name', () => {
  const cwd = listing('[machine]\npuppet_classes = web\n[web]\nprot = 81\n')
  const { status, stderr } = steward(cwd, 'apply', '--dry-run', '--state', 'state', ...flags)
  expect(status).toBe(1)
  expect(stderr).toContain('there is no port')
  expect(stderr).toContain('no class reads web.prot')
})
