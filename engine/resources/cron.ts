import { Cron } from 'croner'
import schema from '../../schemas/resources/cron.json' with { type: 'json' }
import type { Resource, ResourceType } from './type.ts'
import { applyWholeFile, diffWholeFile, type FoundFile, wholeFileProbe } from './whole-file.ts'

interface Desired {
  readonly ensure?: 'present' | 'absent'
  /** For the shell, as it is to run; what cron itself reads in a line is escaped here. */
  readonly command?: string
  readonly schedule?: string
  readonly user?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** cron cuts a longer environment line off without a word, and drops the whole file for a longer command. */
const longestLine = 998

/**
 * One job in a file of its own, /etc/cron.d/TITLE. cron(8) sees the file's new time within a minute by itself.
 */
export const cron: ResourceType<Desired, FoundFile> = {
  name: 'cron',
  schema,
  check({ ref, title, desired }) {
    if (!/^[A-Za-z0-9_-]+$/.test(title)) {
      return {
        message: `${ref} would be ignored by cron for its name`,
        help: 'use only letters, digits, "_" and "-"',
      }
    }
    if (desired.ensure === 'absent') return undefined
    for (const attribute of ['schedule', 'command'] as const) {
      if (desired[attribute] === undefined)
        return { attribute, message: `${ref} has no ${attribute}` }
    }
    return (
      checkSchedule(ref, desired.schedule ?? '') ??
      checkCommand(ref, desired.command ?? '') ??
      checkEnvironment(ref, desired.environment ?? {})
    )
  },
  footprint({ title, desired }) {
    const path = `path:${pathOf(title)}` as const
    if (desired.ensure === 'absent') return { removes: [path] }
    const needs = ['path:/etc/cron.d', `user:${desired.user ?? 'root'}`] as const
    return { ensures: [path], isWhole: true, needs }
  },
  async probe(jobs, host, context) {
    const probe = wholeFileProbe(host, context)
    return jobs.map((job) => probe(pathOf(job.title), render(job)))
  },
  diff: (_job, found) => diffWholeFile(found),
  async apply({ title }, changes, host) {
    applyWholeFile(host, pathOf(title), changes)
    return undefined
  },
}

function pathOf(title: string): string {
  return `/etc/cron.d/${title}`
}

/** undefined where the file is to be gone. */
function render({ ref, desired }: Resource<Desired>): string | undefined {
  const { ensure, schedule = '', command = '', user = 'root', environment = {} } = desired
  if (ensure === 'absent') return undefined
  return [
    `# Kept by steward as ${ref}: what is changed here is overwritten.`,
    ...Object.entries(environment).map(([name, value]) => environmentLine(name, value)),
    `${schedule.trim().split(/\s+/).join(' ')} ${user} ${escapeCommand(command)}`,
    '',
  ].join('\n')
}

/**
 * cron ends the command at a bare `%` and reads `\%` as `%` and `\\` as `\`; a single backslash before anything
 * else stays, and is left alone here for crons that know only `\%`. Source: crontab(5), and tried with Debian's
 * cron 3.0pl1-162.
 */
function escapeCommand(command: string): string {
  return command.replace(/\\+%?|%/g, (found) => {
    const escaped = found.replaceAll('\\', '\\\\').replace('%', '\\%')
    return found === '\\' ? found : escaped
  })
}

/** In quotes where cron would otherwise trim the value, or refuse the whole file. */
function environmentLine(name: string, value: string): string {
  if (!needsQuotes(value)) return `${name}=${value}`
  const quote = value.includes('"') ? "'" : '"'
  return `${name}=${quote}${value}${quote}`
}

function needsQuotes(value: string): boolean {
  return /^(?:$|["'\s])/.test(value)
}

/**
 * What cron takes from a value even in quotes: blanks at its end, and a
 * second pair of quotes. Tried with 3.0pl1-162.
 */
function isSpoilt(value: string): boolean {
  const holdsBoth = value.includes('"') && value.includes("'")
  return /\s$|^(["']).*\1$/.test(value) || (needsQuotes(value) && holdsBoth)
}

type Mistake = ReturnType<NonNullable<typeof cron.check>>

function checkSchedule(ref: string, schedule: string): Mistake {
  if (schedule.startsWith('@')) return undefined
  const refuse = (reason: string) => ({
    attribute: 'schedule',
    message: `${ref} has a schedule, "${schedule}", that cron would refuse or never reach: ${reason}`,
    help: 'write minute, hour, day of month, month and day of week, such as "17 3 * * sun"',
  })
  // croner takes L, W, # and ? too, which cron(8) does not know.
  const strange =
    /[#?]/.exec(schedule)?.[0] ?? schedule.match(/[a-z]+/gi)?.find((w) => w.length !== 3)
  if (strange !== undefined) return refuse(`cron does not know "${strange}"`)
  try {
    const next = new Cron(schedule, { mode: '5-part', paused: true }).nextRun(new Date(0))
    return next === null ? refuse('there is no such day') : undefined
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return refuse(error.message.replace(/^CronPattern: /, ''))
  }
}

function checkCommand(ref: string, command: string): Mistake {
  if (Buffer.byteLength(escapeCommand(command)) <= longestLine) return undefined
  return {
    attribute: 'command',
    message: `${ref} has a command of more than the ${longestLine} bytes that cron reads`,
    help: 'put it into a script and run that',
  }
}

function checkEnvironment(ref: string, environment: Readonly<Record<string, string>>): Mistake {
  for (const [name, value] of Object.entries(environment)) {
    if (isSpoilt(value)) {
      return {
        attribute: 'environment',
        message: `${ref} has a value of ${name} whose blanks or quotes at the ends cron would take off`,
        help: 'leave them out, or set it in a script and run that',
      }
    }
    if (Buffer.byteLength(environmentLine(name, value)) > longestLine) {
      return {
        attribute: 'environment',
        message: `${ref} has a value of ${name} of more than the ${longestLine} bytes that cron reads`,
        help: 'set it in a script and run that',
      }
    }
  }
  return undefined
}
