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
  expect(stderr).toMatch(/^warning: site\/My-own\.yml is passed over: .*such as my_own\.yaml\n$/)
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
