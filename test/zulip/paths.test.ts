import { expect, test } from 'vitest'
import { stateFolder } from '../../engine/zulip/paths.ts'

const zulip = { uid: 1000, home: '/home/zulip', xdgStateHome: undefined, root: '/' }

test.each([
  ['is /var/lib/steward for root', { ...zulip, uid: 0, xdgStateHome: '/x' }, '/var/lib/steward'],
  ['lies in the home of other users', zulip, '/home/zulip/.local/state/steward'],
  ['follows XDG_STATE_HOME', { ...zulip, xdgStateHome: '/x' }, '/x/steward'],
  [
    'ignores a relative XDG_STATE_HOME',
    { ...zulip, xdgStateHome: 'x' },
    '/home/zulip/.local/state/steward',
  ],
  ['lies in the tree under --root', { ...zulip, root: '/srv/image' }, '/srv/image/var/lib/steward'],
])('the state folder %s', (_title, owner, folder) => {
  expect(stateFolder(owner)).toBe(folder)
})
