import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { suggest } from '../diagnostics/suggest.ts'
import type { Conf, ConfEntry } from './conf.ts'
import { defaultSection } from './conf.ts'
import { type ConfReader, confReaders, nearestSetting, readersOf } from './conf-readers.ts'
import type { Library } from './library.ts'

/** A setting of zulip.conf that no class reads. */
interface Unread {
  readonly section: string
  readonly key: string
  readonly entry: ConfEntry
}

/**
 * Warnings of settings that nobody reads and that look like others that somebody does. What looks like none may
 * be meant for another program, and is left in peace.
 *
 * @param library whose manifests, as far as they have been read, are asked first: mostly they read all that is set
 * @param whole gives a library of the same folders that may read every manifest
 */
export function misspeltSettings(
  conf: Conf,
  library: Library,
  whole: () => Library,
): readonly Diagnostic[] {
  if (unreadSettings(conf, confReaders(library, library.readSoFar())).length === 0) return []
  const readers = confReaders(whole())
  const unread = Map.groupBy(unreadSettings(conf, readers), ({ section }) => section)
  return [...unread].flatMap(
    ([section, settings]): Diagnostic[] =>
      misspeltSection(conf, section, settings, readers) ??
      settings.flatMap((setting) => misspelt(setting, readers)),
  )
}

function unreadSettings(conf: Conf, readers: readonly ConfReader[]): Unread[] {
  const defaults = conf.section(defaultSection)
  return conf.sections().flatMap((section) =>
    [...(conf.section(section) ?? [])].flatMap(([key, entry]): Unread[] => {
      const isRead =
        entry === defaults?.get(key) ||
        (section === 'machine' && key === 'puppet_classes') ||
        readersOf(readers, section, key).length > 0
      return isRead ? [] : [{ section, key, entry }]
    }),
  )
}

/** A section is told once, and only where something in it belongs to the one that it looks like. */
function misspeltSection(
  conf: Conf,
  section: string,
  settings: readonly Unread[],
  readers: readonly ConfReader[],
): Diagnostic[] | undefined {
  const known = new Set(readers.map((reader) => reader.section)).add('machine')
  if (known.has(section)) return undefined
  const near = suggest(section, known)
  const belongs = ({ key }: Unread) =>
    near !== undefined &&
    (readersOf(readers, near, key).length > 0 ||
      (near === 'machine' && key === 'puppet_classes') ||
      nearestSetting(readers, near, key)?.startsWith(`${near}.`) === true)
  const place = conf.header(section)
  if (!place || !settings.some(belongs)) return undefined
  return [
    {
      severity: 'warning',
      code: 'unknown-parameter',
      message: `no class reads the section [${section}]`,
      place,
      help: `did you mean "${near}"? Then write [${near}]`,
    },
  ]
}

function misspelt({ section, key, entry }: Unread, readers: readonly ConfReader[]): Diagnostic[] {
  const near = nearestSetting(readers, section, key)
  if (near === undefined) return []
  const [nearSection, nearKey] = [
    near.slice(0, near.indexOf('.')),
    near.slice(near.indexOf('.') + 1),
  ]
  return [
    {
      severity: 'warning',
      code: 'unknown-parameter',
      message: `no class reads ${section}.${key}`,
      place: entry.name,
      help: `did you mean "${near}"? Then ${nearSection === section ? `write ${nearKey}` : `move it to [${nearSection}]`}`,
    },
  ]
}
