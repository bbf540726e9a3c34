import { hash } from 'node:crypto'
import schema from '../../schemas/resources/block_in_file.json' with { type: 'json' }
import { bytesOf } from '../host/bytes.ts'
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
import type { Change, Resource, ResourceType } from './type.ts'

interface Desired {
  readonly ensure?: 'present' | 'absent'
  readonly path: string
  readonly content?: string
  readonly marker?: string
  readonly insert_after?: string
  readonly insert_before?: string
}

/** Indexes of the two markers; undefined where neither is there. */
type Block = { readonly begin: number; readonly end: number } | undefined

/** Lines of a text file between two markers. */
export const blockInFile: ResourceType<Desired, FoundText> = {
  name: 'block_in_file',
  schema,
  check(resource) {
    const { ref, desired } = resource
    if (desired.ensure !== 'absent' && desired.content === undefined)
      return { attribute: 'content', message: `${ref} has no content` }
    if (desired.insert_after !== undefined && desired.insert_before !== undefined) {
      const message = `${ref} has both insert_after and insert_before`
      return { attribute: 'insert_before', message, help: 'keep one of them' }
    }
    for (const attribute of ['insert_after', 'insert_before'] as const) {
      const pattern = desired[attribute]
      if (pattern !== undefined && patternOf(pattern) === undefined)
        return { attribute, message: `the ${attribute} of ${ref} is no regular expression` }
    }
    const markers = markersOf(resource)
    if (/[\r\n]/.test(markers.begin))
      return { attribute: 'marker', message: `the marker of ${ref} is more than one line` }
    if (linesOf(desired).some((line) => line === markers.begin || line === markers.end))
      return { attribute: 'content', message: `the content of ${ref} holds its own marker` }
    return textPathMistake(resource)
  },
  footprint(resource) {
    const path = normalPath(resource.desired.path)
    const part = `block ${markersOf(resource).begin}`
    const edits = [{ path, part, isGone: resource.desired.ensure === 'absent' }]
    return { after: [`path:${path}`], writes: [path], edits }
  },
  async probe(resources, host) {
    return readTextFiles(resources, host)
  },
  diff(resource, file) {
    if ('blocked' in file) return file
    const isAbsent = resource.desired.ensure === 'absent'
    if (file.stat === undefined) return isAbsent ? { changes: [] } : missingText(resource)
    const block = findBlock(resource, file)
    if (block !== undefined && 'blocked' in block) return block
    if (isAbsent) return { changes: block === undefined ? [] : [becomesAbsent] }
    const wanted = textOf(linesOf(resource.desired))
    if (block === undefined) return { changes: [becomesPresent, contentChange(undefined, wanted)] }
    const found = textOf(file.lines.slice(block.begin + 1, block.end).map(bare))
    return { changes: found === wanted ? [] : [contentChange(found, wanted)] }
  },
  async apply(resource, _changes, host) {
    editTextFile({ ref: resource.ref, path: resource.desired.path }, host, (file) => {
      const block = findBlock(resource, file)
      return block !== undefined && 'blocked' in block ? block : edited(resource, file, block)
    })
    return undefined
  },
}

function edited(resource: Resource<Desired>, file: TextFile, block: Block): readonly string[] {
  const { desired } = resource
  if (desired.ensure === 'absent') {
    return block === undefined
      ? file.lines
      : spliced(file, block.begin, block.end - block.begin + 1)
  }
  const content = linesOf(desired)
  if (block !== undefined) {
    return spliced(file, block.begin + 1, block.end - block.begin - 1, ...content)
  }
  const { begin, end } = markersOf(resource)
  return spliced(file, placeFor(desired, file), 0, begin, ...content, end)
}

/** Behind the last line that is met, or before the first; at the end where nothing is. */
function placeFor({ insert_after, insert_before }: Desired, { lines }: TextFile): number {
  const before = insert_before === undefined ? undefined : patternOf(insert_before)
  const after = insert_after === undefined ? undefined : patternOf(insert_after)
  const texts = lines.map(bare)
  const at = before
    ? texts.findIndex((text) => before.test(text))
    : texts.findLastIndex((text) => after?.test(text))
  if (at < 0) return lines.length
  return before ? at : at + 1
}

function findBlock(resource: Resource<Desired>, { lines }: TextFile): Block | NoText {
  const markers = markersOf(resource)
  const places = (marker: string) =>
    lines.flatMap((line, at) => (bare(line) === marker ? [at] : []))
  const [begin, ...moreBegins] = places(markers.begin)
  const [end, ...moreEnds] = places(markers.end)
  if (begin === undefined && end === undefined) return undefined
  const isWhole = begin !== undefined && end !== undefined && begin < end
  if (isWhole && moreBegins.length === 0 && moreEnds.length === 0) return { begin, end }
  const tell = (at: readonly (number | undefined)[]) => {
    const numbers = at.flatMap((index) => (index === undefined ? [] : [index + 1]))
    return numbers.length === 0 ? 'nowhere' : `in line ${numbers.join(', ')}`
  }
  return {
    blocked: `${resource.ref}: in ${resource.desired.path} its block begins ${tell([begin, ...moreBegins])} and ends ${tell([end, ...moreEnds])}`,
    help: `put its markers right: "${markers.begin}" once, and "${markers.end}" once below it`,
  }
}

function markersOf({ title, desired }: Resource<Desired>) {
  const marker = desired.marker ?? `# {mark} ${title}`
  const filled = (word: string) => marker.replace('{mark}', () => word)
  return { begin: filled('BEGIN'), end: filled('END') }
}

/** A content without a line end at its end is meant with one; nothing is no line. */
function linesOf({ content = '' }: Desired): string[] {
  return content === '' ? [] : content.replace(/\r?\n$/, '').split(/\r?\n/)
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

function contentChange(from: string | undefined, to: string): Change {
  const [old, wanted] = [from === undefined ? undefined : bytesOf(from), bytesOf(to)]
  return {
    attribute: 'content',
    from: old && digest(old),
    to: digest(wanted),
    content: { from: old, to: wanted },
  }
}

/** The texts are compared; this only names them for people. */
function digest(content: Uint8Array): string {
  return `sha256:${hash('sha256', content).slice(0, 8)}`
}
