/**
 * Brings `manifests/zulip/README.md` up to date with the manifests: classes, settings and defines.
 *
 *     bin/node scripts/zulip-readme.ts
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLibrary } from '../engine/index.ts'
import { shippedFolder } from '../engine/shipped.ts'
import { withSettings } from './settings-text.ts'

const path = join(shippedFolder('manifests'), 'zulip/README.md')
const library = openLibrary({ manifests: [], state: '/nonexistent', mayKeep: false })
writeFileSync(path, withSettings(readFileSync(path, 'utf8'), library))
