import schema from '../../schemas/resources/file_line.json' with { type: 'json' }
import { becomesAbsent, becomesPresent } from './diff-attributes.ts'
import { normalPath } from './path.ts'
import {
  bare,
  editTextFile,
  type FoundText,
  missingText,
  type NoText,
  patternOf,
  readTextFiles,
  spliced,
  type TextFile,
  textPathMistake,
} from './text-file.ts'
import type { Resource, ResourceType } from './type.ts'

interface Desired {
  readonly ensure?: 'present' | 'absent'
  readonly path: string
  readonly line?: string
  readonly match?: string
  readonly after?: string
  readonly multiple?: boolean
  readonly replace?: boolean
  readonly append_on_no_match?: boolean
  readonly match_for_absence?: boolean
}

/** What is to be done with the lines. */
type Edit =
  | { readonly act: 'nothing'; readonly note?: string }
  | { readonly act: 'replace' | 'remove'; readonly at: readonly number[] }
  /** Behind each of these; behind the last line where there is none. */
  | { readonly act: 'insert'; readonly behind: readonly number[] }
  | { readonly act: 'refuse'; readonly reason: NoText }

/** One line of a text file. */
export const fileLine: ResourceType<Desired, FoundText> = {
  name: 'file_line',
  schema,
  check(resource) {
    const { ref, desired } = resource
    for (const attribute of ['match', 'after'] as const) {
      const pattern = desired[attribute]
      if (pattern !== undefined && patternOf(pattern) === undefined)
        return { attribute, message: `the ${attribute} of ${ref} is no regular expression` }
    }
    if (removesMatches(desired) && desired.match === undefined) {
      const message = `${ref} removes what matches, and has no match`
      return { attribute: 'match_for_absence', message }
    }
    if (!removesMatches(desired) && desired.line === undefined)
      return { attribute: 'line', message: `${ref} has no line` }
    return textPathMistake(resource)
  },
  footprint({ desired }) {
    const path = normalPath(desired.path)
    const part = `line ${desired.match ?? desired.line}`
    const edits = [{ path, part, isGone: desired.ensure === 'absent' }]
    return { after: [`path:${path}`], writes: [path], edits }
  },
  async probe(resources, host) {
    return readTextFiles(resources, host)
  },
  diff(resource, file) {
    if ('blocked' in file) return file
    const { line, ensure } = resource.desired
    if (file.stat === undefined)
      return ensure === 'absent' ? { changes: [] } : missingText(resource)
    const edit = editOf(resource, file)
    switch (edit.act) {
      case 'nothing':
        return edit.note === undefined ? { changes: [] } : { changes: [], note: edit.note }
      case 'refuse':
        return edit.reason
      case 'insert':
        return { changes: [becomesPresent, { attribute: 'line', from: undefined, to: line }] }
      case 'replace':
        return { changes: [{ attribute: 'line', from: texts(file, edit.at), to: line }] }
      case 'remove':
        return {
          changes: [
            becomesAbsent,
            { attribute: 'line', from: texts(file, edit.at), to: undefined },
          ],
        }
    }
  },
  async apply(resource, _changes, host) {
    editTextFile({ ref: resource.ref, path: resource.desired.path }, host, (file) => {
      const edit = editOf(resource, file)
      return edit.act === 'refuse' ? edit.reason : edited(file, edit, resource.desired.line ?? '')
    })
    return undefined
  },
}

function removesMatches({ ensure, match_for_absence }: Desired): boolean {
  return ensure === 'absent' && match_for_absence === true
}

function editOf(resource: Resource<Desired>, { lines }: TextFile): Edit {
  const { desired } = resource
  const texts = lines.map(bare)
  const equal = indexesOf(texts, (text) => text === desired.line)
  const matching = (pattern: string | undefined) => {
    const expression = pattern === undefined ? undefined : patternOf(pattern)
    return expression ? indexesOf(texts, (text) => expression.test(text)) : []
  }
  const matches = matching(desired.match)
  if (desired.ensure === 'absent') {
    const at = removesMatches(desired) ? matches : equal
    if (at.length === 0) return { act: 'nothing' }
    return removesMatches(desired) && isTooMany(at, desired)
      ? refusal(resource, 'match', at)
      : { act: 'remove', at }
  }
  if (equal.length > 0) return { act: 'nothing' }
  if (matches.length > 0) {
    if (desired.replace === false) return { act: 'nothing', note: 'the line that matches is kept' }
    if (isTooMany(matches, desired)) return refusal(resource, 'match', matches)
    return { act: 'replace', at: matches }
  }
  if (desired.match !== undefined && desired.append_on_no_match === false) {
    return { act: 'nothing', note: 'no line matches' }
  }
  const behind = matching(desired.after)
  return isTooMany(behind, desired) ? refusal(resource, 'after', behind) : { act: 'insert', behind }
}

function edited(
  file: TextFile,
  edit: Exclude<Edit, { readonly act: 'refuse' }>,
  line: string,
): readonly string[] {
  const { lines, end } = file
  switch (edit.act) {
    case 'nothing':
      return lines
    case 'replace':
      return edit.at.reduce<readonly string[]>((all, at) => all.with(at, line + end), lines)
    case 'remove':
      return lines.filter((_line, at) => !edit.at.includes(at))
    case 'insert': {
      const behind = edit.behind.length > 0 ? edit.behind : [lines.length - 1]
      return behind.reduceRight<readonly string[]>(
        (all, at) => spliced({ lines: all, end }, at + 1, 0, line),
        lines,
      )
    }
  }
}

function isTooMany(at: readonly number[], { multiple }: Desired): boolean {
  return at.length > 1 && multiple !== true
}

function refusal(
  { ref, desired }: Resource<Desired>,
  attribute: 'match' | 'after',
  at: readonly number[],
): Edit {
  const numbers = at.map((index) => index + 1).join(', ')
  const blocked = `${ref}: its ${attribute} meets the lines ${numbers} of ${desired.path}, and one was expected`
  const help = 'make the expression tell them apart, or write `multiple: true`'
  return { act: 'refuse', reason: { blocked, help } }
}

function indexesOf(texts: readonly string[], test: (text: string) => boolean): number[] {
  return texts.flatMap((text, at) => (test(text) ? [at] : []))
}

function texts({ lines }: TextFile, at: readonly number[]): string | readonly string[] {
  const [first = '', ...others] = at.map((index) => bare(lines[index] ?? ''))
  return others.length === 0 ? first : [first, ...others]
}
