import type { Host } from '../host/host.ts'
import { keeping } from '../host/keeping.ts'
import type { Keeper } from './keeper.ts'

/** A host whose every change is taken down, in the name of a resource: before it what goes, after it what is there. */
export function recording(host: Host, keeper: Keeper, current: () => string): Host {
  const kept = keeping(host, (was) => keeper.keep(current(), was))
  return {
    ...kept,
    writeFile(path, content, how) {
      kept.writeFile(path, content, how)
      keeper.wrote(current(), path, content, how)
    },
    setMode(path, mode) {
      kept.setMode(path, mode)
      keeper.gave(path, { mode })
    },
    setOwner(path, owner) {
      kept.setOwner(path, owner)
      keeper.gave(path, owner)
    },
    makeLink(path, target, owner) {
      kept.makeLink(path, target, owner)
      keeper.linked(path, target)
    },
    remove(path, options) {
      kept.remove(path, options)
      keeper.removed(path)
    },
  }
}
