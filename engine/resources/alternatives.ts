import schema from '../../schemas/resources/alternatives.json' with { type: 'json' }
import { type AlternativesGroup, readAlternatives } from './alternatives-database.ts'
import { becomesAbsent, becomesPresent } from './diff-attributes.ts'
import { mustRun } from './must-run.ts'
import type { Change, Footprint, Resource, ResourceType, Thing, Verdict } from './type.ts'

interface Desired {
  readonly ensure?: 'present' | 'absent'
  readonly path?: string
  readonly mode?: 'manual' | 'auto'
  readonly link?: string
  readonly priority?: number
}

type Current =
  | { readonly group: AlternativesGroup | undefined }
  /** Why no command can change anything: a folder that is managed from outside. */
  | { readonly cannotRun: string }

/** Which program a name such as `editor` leads to. Source: update-alternatives(1). */
export const alternatives: ResourceType<Desired, Current> = {
  name: 'alternatives',
  schema,
  check({ ref, title, desired }) {
    if (!/^[^\s/]+$/.test(title)) return { message: `${ref} is no name of alternatives` }
    const { ensure, path, mode, link, priority } = desired
    if (path === undefined && (ensure === 'absent' || mode !== 'auto'))
      return { attribute: 'path', message: `${ref} has no path` }
    if ((link === undefined) !== (priority === undefined)) {
      const attribute = link === undefined ? 'link' : 'priority'
      return { attribute, message: `${ref} has no ${attribute}, which makes it a choice` }
    }
    if (link !== undefined && path === undefined)
      return { attribute: 'path', message: `${ref} has no path to make a choice` }
    return undefined
  },
  footprint: footprintOf,
  async probe(resources, host) {
    const { cannotRun } = host
    if (cannotRun !== undefined) return resources.map(() => ({ cannotRun }))
    return resources.map(({ title }) => ({ group: readAlternatives(title, host) }))
  },
  diff,
  async apply({ ref, title, desired }, changes, host) {
    const run = (...args: readonly string[]) => mustRun(host, ref, ['update-alternatives', ...args])
    const { ensure, path = '', mode, link, priority } = desired
    const has = (...names: readonly string[]) =>
      changes.some((one) => names.includes(one.attribute))
    if (ensure === 'absent') {
      await run('--remove', title, path)
      return undefined
    }
    if (link !== undefined && has('ensure', 'link', 'priority'))
      await run('--install', link, title, path, String(priority))
    if (has('path', 'mode')) {
      if (mode === 'auto') await run('--auto', title)
      else await run('--set', title, path)
    }
    return undefined
  },
}

function footprintOf({ title, desired }: Resource<Desired>): Footprint {
  const { ensure, path, link } = desired
  if (ensure === 'absent') return { writes: [`/etc/alternatives/${title}`] }
  const things: Thing[] = path === undefined ? [] : [`path:${path}`]
  return {
    ...(link === undefined ? { after: things } : { needs: things, provides: [`path:${link}`] }),
    writes: [`/etc/alternatives/${title}`],
  }
}

function diff({ ref, title, desired }: Resource<Desired>, current: Current): Verdict {
  if ('cannotRun' in current) return { changes: [], note: current.cannotRun, leftAlone: true }
  const { group } = current
  const { ensure, path, mode = 'manual', link, priority } = desired
  const isChoice = path !== undefined && group?.choices.has(path) === true
  if (ensure === 'absent') return { changes: isChoice ? [becomesAbsent] : [] }
  if (group === undefined && link === undefined)
    return { blocked: `${ref}: there are no alternatives ${title}`, help: howToRegister }
  if (path !== undefined && !isChoice && link === undefined) {
    const choices = [...(group?.choices.keys() ?? [])].join(', ')
    const blocked = `${ref}: ${path} is none of the choices, which are ${choices}`
    return { blocked, help: howToRegister }
  }
  const changes: Change[] = isChoice || path === undefined ? [] : [becomesPresent]
  if (isChoice && link !== undefined) {
    const from = group?.choices.get(path)
    if (group?.link !== link) changes.push({ attribute: 'link', from: group?.link, to: link })
    if (from !== priority) changes.push({ attribute: 'priority', from, to: priority })
  }
  if (mode === 'manual' && group?.chosen !== path)
    changes.push({ attribute: 'path', from: group?.chosen, to: path })
  // A new group is automatic by itself.
  const before = group?.mode ?? 'auto'
  if (before !== mode) changes.push({ attribute: 'mode', from: before, to: mode })
  return { changes }
}

const howToRegister =
  'declare the package that brings it, or write `link` and `priority` to make the path a choice'
