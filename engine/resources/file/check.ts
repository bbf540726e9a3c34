import { normalPath, pathMistake } from '../path.ts'
import type { Resource } from '../type.ts'
import { ensureOf, type FileDesired } from './desired.ts'
import { globMatcher } from './glob.ts'

/** What is wrong with a file, beyond what the schema of a single attribute can say. */
export interface Mistake {
  readonly attribute?: string
  readonly message: string
  readonly help?: string
}

const bodies = ['content', 'template', 'source', 'target'] as const
const ofTrees = ['recurse', 'recurselimit', 'purge', 'ignore'] as const

/** The first mistake, as a sentence that goes behind the name of the resource, or nothing. */
export function checkFile({ title, desired }: Resource<FileDesired>): Mistake | undefined {
  const mistake = pathMistake(title)
  if (mistake !== undefined) return { message: `its path ${mistake}` }
  return (
    bodyMistake(desired) ??
    treeMistake(desired) ??
    (normalPath(title) === '/' ? rootMistake(desired) : undefined)
  )
}

function bodyMistake(desired: FileDesired): Mistake | undefined {
  const ensure = ensureOf(desired)
  const [first, second] = bodies.filter((attribute) => desired[attribute] !== undefined)
  if (first !== undefined && second !== undefined) {
    return {
      attribute: second,
      message: `${first} and ${second} exclude each other`,
      help: 'Keep one of them.',
    }
  }
  if (ensure === 'link' && first === undefined) {
    return { attribute: 'ensure', message: 'a link needs a target', help: 'Add target: PATH.' }
  }
  // What is only sometimes there (`ensure: ${{ on ? "file" : "absent" }}`) has a body all the same.
  if (first === undefined || ensure === 'absent') return undefined
  const fits =
    first === 'target'
      ? ensure === 'link'
      : ensure === 'file' || ensure === 'present' || (ensure === 'directory' && first === 'source')
  if (!fits) {
    const what = ensure === 'present' ? 'what may be a file' : `a ${ensure}`
    return { attribute: first, message: `${first} does not go with ${what}` }
  }
  if (ensure === 'directory' && desired.recurse !== true) {
    return {
      attribute: 'source',
      message: 'the source of a directory is only copied with recurse',
      help: 'Add recurse: true.',
    }
  }
  return desired.content === undefined ? undefined : invalidText(String(desired.content))
}

/** Text from YAML and templates is well formed, but for bytes that were no UTF-8. */
function invalidText(content: string): Mistake | undefined {
  if (content.isWellFormed()) return undefined
  if (content.replaceAll(/[\udc80-\udcff]/gu, '').isWellFormed()) return undefined
  return { attribute: 'content', message: 'content holds half a character (a lone surrogate)' }
}

function treeMistake(desired: FileDesired): Mistake | undefined {
  const attribute = ofTrees.find((name) => desired[name] !== undefined && desired[name] !== false)
  if (attribute === undefined || desired.ensure === 'absent') return undefined
  if (desired.ensure !== 'directory') {
    return {
      attribute,
      message: `${attribute} is only for directories`,
      help: 'Add ensure: directory.',
    }
  }
  if (desired.recurse === true) return globMistake(desired)
  return {
    attribute,
    message: `${attribute} does nothing without recurse`,
    help: 'Add recurse: true.',
  }
}

function globMistake({ ignore }: FileDesired): Mistake | undefined {
  try {
    globMatcher(ignore)
    return undefined
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { attribute: 'ignore', message: 'ignore holds a range that runs backwards' }
  }
}

function rootMistake(desired: FileDesired): Mistake | undefined {
  if (desired.purge === true)
    return { attribute: 'purge', message: 'purge would remove the whole host' }
  const ensure = ensureOf(desired)
  if (ensure === undefined || ensure === 'directory' || ensure === 'present') return undefined
  return {
    attribute: 'ensure',
    message: `/ can't be ${ensure === 'absent' ? 'absent' : `a ${ensure}`}`,
  }
}
