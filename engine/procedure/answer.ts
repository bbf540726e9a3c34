import type { CommandOptions, CommandResult, Host } from '../host/host.ts'
import type { Plan } from '../plan.ts'
import { SECRET } from '../redactor.ts'
import { parseDurationMs } from '../resources/duration.ts'
import { tarFault, tarReading } from '../resources/tar.ts'

/** What a query found: plain data, as expressions read it under `query.NAME`. */
export type Answer = Readonly<Record<string, unknown>>

/** Which classes an `apply` applies, or a query plans. */
export interface ClassesSpec {
  readonly classes?: string | readonly string[]
  readonly manifests?: string | readonly string[]
  readonly tags?: string | readonly string[]
}

/** The attributes of a query, evaluated. */
export interface QuerySpec {
  readonly command?: readonly string[]
  readonly match?: string
  readonly json?: boolean
  readonly returns?: number | readonly number[]
  readonly user?: string
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly stdin?: string
  readonly scratch?: readonly string[]
  readonly link?: string
  readonly file?: string
  readonly archive?: string
  readonly member?: string
  readonly message?: string
  readonly plan?: string | ClassesSpec
  readonly until?: string | boolean
  readonly timeout?: number | string
}

/**
 * A query that could not be answered. `why` is "not yet" where its command ran and gave no answer, which may be
 * another one soon; "unavailable" where it could not even be asked without risk of a change.
 */
export class Unanswered extends Error {
  readonly ran:
    | { readonly argv: readonly string[]; readonly exit: string; readonly output: string }
    | undefined
  readonly why: 'not yet' | 'unavailable' | undefined
  constructor(
    message: string,
    details: {
      readonly ran?: Unanswered['ran']
      readonly why?: Unanswered['why']
    } = {},
  ) {
    super(message)
    this.name = 'Unanswered'
    this.ran = details.ran
    this.why = details.why
  }

  /** The same where all that the command prints is secret. */
  withoutOutput(): Unanswered {
    const { message, ran, why } = this
    return new Unanswered(message, { why, ...(ran ? { ran: { ...ran, output: SECRET } } : {}) })
  }

  /** The same without the secrets that the command may have printed. */
  redacted(redact: (text: string) => string): Unanswered {
    const { message, ran, why } = this
    const clean = ran && { ...ran, argv: ran.argv.map(redact), output: redact(ran.output) }
    return new Unanswered(redact(message), { why, ...(clean ? { ran: clean } : {}) })
  }
}

const WAIT_MS = 60_000

/** How long a query may take, in milliseconds. */
export function waitMs({ timeout }: QuerySpec): number {
  return timeout === undefined ? WAIT_MS : (parseDurationMs(timeout) ?? WAIT_MS)
}

/**
 * Asks a query that reads the host; its command may take `timeoutMs`. Throws `Unanswered`; where the
 * answer is secret, that tells nothing of what would have been it.
 */
export async function askHost(
  spec: QuerySpec,
  host: Host,
  {
    isSecret,
    timeoutMs = waitMs(spec),
  }: { readonly isSecret: boolean; readonly timeoutMs?: number },
): Promise<Answer> {
  if (spec.link !== undefined) {
    const isLink = host.stat(spec.link)?.kind === 'link'
    return { exists: isLink, target: isLink ? host.readLink(spec.link) : '' }
  }
  if (spec.file !== undefined) {
    const exists = host.stat(spec.file)?.kind === 'file'
    const text = exists ? host.read(spec.file).toString('utf8') : ''
    return { exists, text, lines: linesOf(text) }
  }
  if (spec.archive !== undefined) return archiveAnswer(spec, spec.archive, host, timeoutMs)
  const result = await host.guard(spec.command ?? [], { ...optionsOf(spec), timeoutMs })
  if ('unavailable' in result) {
    throw new Unanswered(
      `it can't be asked without a chance that it changes something: ${result.unavailable}`,
      { why: 'unavailable' },
    )
  }
  return commandAnswer(spec, result, isSecret)
}

/** What the plan of other classes says. */
export function planAnswer(plan: Plan): Answer {
  const titles = (type: string) =>
    plan.resources.filter((resource) => resource.type === type).map((resource) => resource.title)
  return { changes: plan.resources.length, files: titles('file'), services: titles('service') }
}

function optionsOf(spec: QuerySpec): CommandOptions {
  const { user, cwd, environment, stdin, scratch } = spec
  return {
    ...(user === undefined ? {} : { user }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(environment === undefined ? {} : { environment }),
    ...(stdin === undefined ? {} : { stdin }),
    ...(scratch === undefined ? {} : { scratch }),
  }
}

/** Reads an archive through, for one of its members. */
async function archiveAnswer(
  { member = '', match }: QuerySpec,
  archive: string,
  host: Host,
  timeoutMs: number,
): Promise<Answer> {
  if (host.stat(archive) === undefined)
    return { exists: false, fault: `There is no file ${archive}`, text: '', lines: [] }
  const tar = tarReading(archive, host)
  if ('fault' in tar) return { exists: true, fault: tar.fault, text: '', lines: [] }
  const options = ['--extract', '--to-stdout', '--wildcards', '--no-wildcards-match-slash']
  const result = await host.query([...tar.argv, ...options, '--', member], { timeoutMs })
  const text = result.stdout.replace(/\n$/, '')
  return {
    exists: true,
    fault: result.exitCode === 0 ? '' : tarFault(archive, result),
    text,
    lines: match === undefined ? linesOf(result.stdout) : matches(result.stdout, match),
  }
}

function commandAnswer(spec: QuerySpec, result: CommandResult, isSecret: boolean): Answer {
  const { exitCode, stdout, stderr } = result
  const expected = [spec.returns ?? 0].flat()
  if (exitCode === undefined || !expected.includes(exitCode)) {
    const exit =
      result.startError ??
      (result.timedOut
        ? 'timed out'
        : exitCode === undefined
          ? `ended by ${result.signal}`
          : `exit code ${exitCode}`)
    throw new Unanswered(spec.message ?? `the command failed: ${exit}`, {
      ran: { argv: result.argv, exit, output: lastLines(stderr || (isSecret ? '' : stdout)) },
      ...(result.startError === undefined ? { why: 'not yet' } : {}),
    })
  }
  const text = stdout.replace(/\n$/, '')
  const lines = spec.match === undefined ? linesOf(stdout) : matches(stdout, spec.match)
  return {
    text,
    lines,
    status: exitCode,
    ...(spec.json ? { json: parseJson(text, result, isSecret) } : {}),
  }
}

/** An answer in a few words for people; undefined where there are none, as for the text of a file. */
export function answerInShort(spec: QuerySpec, answer: Answer): string | undefined {
  if (spec.link !== undefined) return answer.exists === true ? String(answer.target) : 'no link'
  if (spec.file !== undefined) return answer.exists === true ? 'it is there' : 'it is not there'
  if (spec.archive !== undefined && answer.fault !== '') return String(answer.fault)
  if (spec.plan !== undefined) return `${String(answer.changes)} changes`
  if (spec.json) return undefined
  const lines = (answer.lines as readonly string[]).filter((line) => line.trim() !== '')
  if (lines.length === 0)
    return spec.returns === undefined ? 'nothing' : `exit code ${String(answer.status)}`
  const first = lines.slice(0, MOST_LINES).join(', ')
  const more = lines.length > MOST_LINES ? ` and ${lines.length - MOST_LINES} more` : ''
  return `${first.length > MOST_CHARACTERS ? `${first.slice(0, MOST_CHARACTERS)}…` : first}${more}`
}

const MOST_LINES = 8
const MOST_CHARACTERS = 160

/** What a command that gave an answer printed, for people; undefined for what is read without one. */
export function ranFor(
  { command }: QuerySpec,
  answer: Answer,
  { isSecret }: { readonly isSecret: boolean },
): Unanswered['ran'] {
  if (command === undefined) return undefined
  const { status, text } = answer as { readonly status: number; readonly text: string }
  return { argv: command, exit: `exit code ${status}`, output: isSecret ? SECRET : lastLines(text) }
}

function lastLines(text: string): string {
  return text.split('\n').slice(-20).join('\n')
}

function matches(text: string, pattern: string): string[] {
  let regex: RegExp
  try {
    regex = new RegExp(pattern)
  } catch (error) {
    throw new Unanswered(`"match" is no regular expression: ${(error as Error).message}`)
  }
  return linesOf(text).flatMap((line) => {
    const found = regex.exec(line)
    return found ? [found[1] ?? found[0]] : []
  })
}

function parseJson(text: string, { argv, exitCode }: CommandResult, isSecret: boolean): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own words quote what was printed.
    throw new Unanswered('the command printed no JSON', {
      ran: { argv, exit: `exit code ${exitCode}`, output: isSecret ? SECRET : lastLines(text) },
      why: 'not yet',
    })
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}
