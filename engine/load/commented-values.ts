import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { classList } from './class-list.ts'
import { type Conf, defaultSection } from './conf.ts'

/** Where a value seems to go over into a comment; to Python's RawConfigParser it does not. */
const inlineComment = /\s([#;].*)/

/** What somebody wrote behind a value as a comment, which zulip.conf takes for a part of it; undefined where nothing is. */
export function commentIn(value: string): string | undefined {
  return inlineComment.exec(value)?.[1]
}

/** Warnings of values of zulip.conf that seem to hold a comment: a word such as `true` is not that word any more. */
export function commentedValues(conf: Conf): readonly Diagnostic[] {
  const defaults = conf.section(defaultSection)
  const all = [defaultSection, ...conf.sections()].flatMap((section) =>
    [...(conf.section(section) ?? [])].map(([key, entry]) => ({ section, key, entry })),
  )
  return all.flatMap(({ section, key, entry }): Diagnostic[] => {
    const { value, place } = entry
    // A list of classes that is refused for a comment says so itself.
    const isTold = key === 'puppet_classes' && 'diagnostics' in classList(entry)
    const isInherited = section !== defaultSection && defaults?.get(key)?.value === value
    if (commentIn(value) === undefined || isInherited || isTold) return []
    return [
      {
        severity: 'warning',
        code: 'conf-value',
        message: `the value of ${section}.${key} holds what looks like a comment, and is not cut off there`,
        place,
        help: 'give the comment a line of its own, above the setting',
      },
    ]
  })
}
