import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import type { Row } from './row.ts'

/** A deliberate difference: rows of the real catalogs that ours does not follow, and why. */
export interface Rule {
  readonly id: string
  readonly type: string | readonly string[]
  /** Globs, in which `*` is any text; a row is meant that one of them matches. */
  readonly title: string | readonly string[]
  /** Globs of the classes that hold the rows. All where absent. */
  readonly class?: string | readonly string[]
  /** Globs of configurations. All where absent. */
  readonly in?: string | readonly string[]
  /** What differs of resources that are there. Where absent, there is no such resource. */
  readonly attribute?: string | readonly string[]
  /** What does the same for us, as globs of references: each finds something. `{title}` is that of the row. */
  readonly by?: string | readonly string[]
  /** How many resources it covers: one that is in several configurations counts once. */
  readonly resources: number
  readonly reason: string
}

/** What is called otherwise since 2.0; a `*` at the end of both leaves the rest of the name as it is. */
interface Renaming {
  readonly type: string
  readonly from: string
  readonly to: string
}

/** Rows of a class that is there, which it does not hold yet. */
export interface Unfinished {
  readonly type: string
  readonly title: string
  /** What has to be made, such as the name of a class. */
  readonly waits_for: string
}

export interface Differences {
  /** Configurations whose classes are not all there and whole, and one that each waits for. */
  readonly waiting: Readonly<Record<string, string>>
  /** What the configurations that compile lack for now. */
  readonly unfinished: readonly Unfinished[]
  readonly renamed: readonly Renaming[]
  readonly rules: readonly Rule[]
}

const text = { type: 'string', minLength: 1 }
const texts = { anyOf: [text, { type: 'array', items: text, minItems: 1 }] }
const isDifferences = new Ajv2020({ allErrors: true }).compile<Differences>({
  type: 'object',
  required: ['waiting', 'unfinished', 'renamed', 'rules'],
  additionalProperties: false,
  properties: {
    waiting: { type: 'object', additionalProperties: text },
    unfinished: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'title', 'waits_for'],
        additionalProperties: false,
        properties: { type: text, title: text, waits_for: text },
      },
    },
    renamed: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'from', 'to'],
        additionalProperties: false,
        properties: { type: text, from: text, to: text },
      },
    },
    rules: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'type', 'title', 'resources', 'reason'],
        additionalProperties: false,
        properties: {
          id: { type: 'string', pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' },
          type: texts,
          title: texts,
          class: texts,
          in: texts,
          attribute: texts,
          by: texts,
          resources: { type: 'integer', minimum: 1 },
          reason: text,
        },
      },
    },
  },
})

/** The data of differences.yaml. */
export function readDifferences(): Differences {
  const data: unknown = parse(readFileSync(join(import.meta.dirname, 'differences.yaml'), 'utf8'))
  if (isDifferences(data)) return data
  const mistakes = isDifferences.errors?.map(({ instancePath, message }) => {
    return `${instancePath} ${message}`
  })
  throw new Error(`differences.yaml is not of its form:\n${mistakes?.join('\n')}`)
}

/** Why a reason is none; undefined where it is one. */
export function faultOfReason(reason: string): string | undefined {
  if (!/^\S.*\.$/s.test(reason) || reason.split(/\s+/).length < 6) return 'is no sentence'
  const excuse =
    /\b(todo|tbd|fixme|wip|later|for now|(not|never) (yet|done|there yet|implemented|written|made yet|supported)|(isn't|aren't|wasn't|hasn't been) (done|implemented|written|supported)|missing class|no time|out of scope|to be (done|written|decided))\b/i
  const found = excuse.exec(reason)
  return found ? `says "${found[0]}", which is no reason` : undefined
}

/** Whether a rule names this row of this configuration. */
export function names(rule: Rule, row: Row, configuration: string): boolean {
  return (
    matches(rule.type, row.type) &&
    matches(rule.title, row.title) &&
    (rule.class === undefined || matches(rule.class, row.class)) &&
    (rule.in === undefined || matches(rule.in, configuration)) &&
    (rule.attribute === undefined || attributesOf(rule).some((name) => row.stated.has(name)))
  )
}

/** The attributes that a rule is about; none where it is about the whole resource. */
export function attributesOf({ attribute }: Rule): readonly string[] {
  return attribute === undefined ? [] : [attribute].flat()
}

/** Whether a text matches one of some globs. */
export function matches(globs: string | readonly string[], text: string): boolean {
  return [globs].flat().some((glob) => patternOf(glob).test(text))
}

const patterns = new Map<string, RegExp>()

function patternOf(glob: string): RegExp {
  const known = patterns.get(glob)
  if (known) return known
  const pattern = new RegExp(
    `^${glob
      .split('*')
      .map((part) => RegExp.escape(part))
      .join('.*')}$`,
    's',
  )
  patterns.set(glob, pattern)
  return pattern
}

/** Whether a row is known to be open for now. */
export function isUnfinished(row: Row, unfinished: readonly Unfinished[]): boolean {
  return unfinished.some(({ type, title }) => type === row.type && title === row.title)
}

/** The row under today's name. */
export function withModernName(row: Row, renamed: readonly Renaming[]): Row {
  const found = renamed.find(({ type, from }) => type === row.type && matches(from, row.title))
  if (!found) return row
  const { from, to } = found
  const title = from.endsWith('*') ? to.slice(0, -1) + row.title.slice(from.length - 1) : to
  return { ...row, title }
}
