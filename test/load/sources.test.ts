import { expect, test } from 'vitest'
import { Sources } from '../../engine/load/sources.ts'

test.each([
  ['/srv', '/srv/own/web.yaml', 'own/web.yaml'],
  ['/srv', '/etc/zulip/zulip.conf', '/etc/zulip/zulip.conf'],
  ['/', '/etc/zulip/zulip.conf', '/etc/zulip/zulip.conf'],
])('from %s, %s is shown as %s', (from, file, shown) => {
  expect(new Sources(from).shown(file)).toBe(shown)
})
