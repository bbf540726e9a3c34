import schema from '../../schemas/resources/debconf.json' with { type: 'json' }
import { type DebconfQuestion, readDebconf } from './debconf-database.ts'
import { becomesAbsent, becomesPresent } from './diff-attributes.ts'
import { mustRun } from './must-run.ts'
import type { Change, Resource, ResourceType, Verdict } from './type.ts'

interface Desired {
  readonly ensure?: 'present' | 'absent'
  readonly package: string
  readonly question?: string
  readonly kind?: 'string' | 'boolean' | 'select' | 'multiselect' | 'password' | 'text' | 'note'
  readonly value?: string | number | boolean
  readonly seen?: boolean
}

type Current =
  | { readonly question: DebconfQuestion | undefined }
  /** Why no command can set anything: a folder that is managed from outside. */
  | { readonly cannotRun: string }

/** The answer to a question that a package asks when it is installed. Source: debconf-set-selections(1). */
export const debconf: ResourceType<Desired, Current> = {
  name: 'debconf',
  schema,
  check(resource) {
    const { ref, desired } = resource
    if (/\s/.test(questionOf(resource))) {
      const help = 'write the question, such as postfix/mailname'
      return { attribute: 'question', message: `${ref} names no question`, help }
    }
    if (desired.ensure === 'absent') return undefined
    for (const attribute of ['kind', 'value'] as const) {
      if (desired[attribute] === undefined)
        return { attribute, message: `${ref} has no ${attribute}` }
    }
    return undefined
  },
  footprint(resource) {
    const part = `question ${questionOf(resource)}`
    return {
      needs: ['command:debconf-set-selections'],
      before: [`package:${resource.desired.package}`],
      edits: [
        {
          path: '/var/cache/debconf/config.dat',
          part,
          isGone: resource.desired.ensure === 'absent',
        },
      ],
    }
  },
  async probe(resources, host) {
    const { cannotRun } = host
    if (cannotRun !== undefined) return resources.map(() => ({ cannotRun }))
    const questions = readDebconf(new Set(resources.map(questionOf)), host)
    return resources.map((resource) => ({ question: questions.get(questionOf(resource)) }))
  },
  diff,
  async apply(resource, _changes, host) {
    const { ensure, package: owner, kind, value, seen } = resource.desired
    const question = questionOf(resource)
    if (ensure === 'absent') {
      const stdin = `UNREGISTER ${question}\n`
      await mustRun(host, resource.ref, ['debconf-communicate', owner], { stdin })
      return undefined
    }
    // An answer counts as seen once it is set; only a line of its own takes that away.
    const unseen = seen === false ? `${owner} ${question} seen false\n` : ''
    const stdin = `${owner} ${question} ${kind} ${String(value)}\n${unseen}`
    await mustRun(host, resource.ref, ['debconf-set-selections'], { stdin })
    return undefined
  },
}

function diff({ desired }: Resource<Desired>, current: Current): Verdict {
  if ('cannotRun' in current) return { changes: [], note: current.cannotRun, leftAlone: true }
  const { question } = current
  const isOwned = question?.owners.includes(desired.package) === true
  if (desired.ensure === 'absent') return { changes: isOwned ? [becomesAbsent] : [] }
  const changes: Change[] = isOwned ? [] : [becomesPresent]
  const { seen = true } = desired
  const value = String(desired.value)
  if ((question?.value ?? '') !== value || question === undefined)
    changes.push(valueChange(desired, question?.value, value))
  if (question !== undefined && question.seen !== seen)
    changes.push({ attribute: 'seen', from: question.seen, to: seen })
  return { changes }
}

/** A password is not shown, also where nobody marked it as sensitive. */
function valueChange({ kind }: Desired, from: string | undefined, to: string): Change {
  const shown = (value: string | undefined) =>
    kind === 'password' && value !== undefined ? '(secret)' : value
  return { attribute: 'value', from: shown(from), to: shown(to) }
}

function questionOf({ title, desired }: Resource<Desired>): string {
  return desired.question ?? title
}
