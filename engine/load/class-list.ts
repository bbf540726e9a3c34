import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import type { ConfEntry } from './conf.ts'
import type { Library } from './library.ts'

/** A class that zulip.conf lists, and where it does. */
interface ListedClass {
  readonly name: string
  readonly place: Place
}

/**
 * The classes that `[machine] puppet_classes` lists, in its order, without a leading `::` and without empty
 * items. Names with blanks between them instead of commas are refused (conf-value), for each such item.
 */
export function classList(
  entry: ConfEntry,
): { readonly classes: readonly ListedClass[] } | { readonly diagnostics: readonly Diagnostic[] } {
  const items = itemsOf(entry)
  const diagnostics = items.flatMap(({ text, place }) =>
    /\s/.test(text) ? [separatedByBlanks(text, place)] : [],
  )
  if (diagnostics.length > 0) return { diagnostics }
  return {
    classes: items.map(({ text, place }) => ({ name: text.replace(/^::/, ''), place })),
  }
}

/** Those of the classes that go by an earlier name of another class, a notice each. */
export function aliasNotices(
  classes: readonly { readonly name: string; readonly place?: Place | undefined }[],
  library: Library,
): Diagnostic[] {
  return classes.flatMap(({ name, place }) => {
    const now = library.read(name)?.aliasOf === undefined ? undefined : library.find(name)?.name
    if (now === undefined) return []
    return [
      {
        severity: 'notice',
        code: 'alias',
        message: `${name} is an earlier name of ${now}, and goes on to work`,
        ...(place ? { place } : {}),
        help: 'steward conf migrate writes the names of today to zulip.conf',
      },
    ]
  })
}

interface Item {
  readonly text: string
  readonly place: Place
}

function itemsOf({ value, place }: ConfEntry): Item[] {
  const items: Item[] = []
  let start = 0
  for (const part of value.split(',')) {
    const text = part.trim()
    // Only the first line of a value has a place of its own.
    const column = place.column + start + part.indexOf(text)
    const isOnFirstLine = !value.includes('\n')
    if (text !== '') {
      items.push({
        text,
        place: isOnFirstLine ? { ...place, column, length: text.length } : place,
      })
    }
    start += part.length + 1
  }
  return items
}

function separatedByBlanks(text: string, place: Place): Diagnostic {
  const names = text.split(/\s+/)
  const comment = names.findIndex((name) => /^[;#]/.test(name))
  return {
    severity: 'error',
    code: 'conf-value',
    message: 'the list of classes is separated by blanks instead of commas',
    place,
    expected: 'class names separated by commas',
    found: names.join(' '),
    help:
      comment > 0
        ? `give the comment a line of its own, and write ${names.slice(0, comment).join(', ')}`
        : `write ${names.join(', ')}`,
  }
}
