import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type RoadOptions, shippedManifests } from '../index.ts'

/**
 * Commands that only look can do so on a machine without zulip.conf, by the shipped example of a full server. `told` is
 * what the user is to know of it; absent where classes or a file were named.
 */
export function withExample(options: RoadOptions): {
  readonly options: RoadOptions
  readonly told?: string
} {
  if (options.classes.length > 0 || options.instead.conf !== undefined) return { options }
  const own = join(options.root, options.paths.conf)
  if (existsSync(own)) return { options, told: `The classes of ${own}:` }
  const conf = join(shippedManifests().manifests, 'example/zulip.conf')
  return {
    options: { ...options, instead: { ...options.instead, conf } },
    told: `There is no ${own}: this is the shipped example of a full server, ${conf}.`,
  }
}
