import { resolve } from 'node:path'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import { visible } from '../diagnostics/visible.ts'
import { openLibrary } from '../index.ts'
import { classList } from '../load/class-list.ts'
import type { Conf, ConfEntry } from '../load/conf.ts'
import { type ConfEdit, setConf, unsetConf } from '../load/conf-edit.ts'
import { listItems, withItems, withoutItems, withRenamed } from '../load/conf-list.ts'
import {
  type ConfReader,
  confReaders,
  nearestSetting,
  readersOf,
  valueFaults,
} from '../load/conf-readers.ts'
import type { Library } from '../load/library.ts'
import { isSecretParameter } from '../load/manifest.ts'
import { type ConfFile, openConf, replaceConf } from './conf-file.ts'
import { type CommonFlags, stateOf } from './options.ts'
import { print, showDiagnostics } from './output.ts'

type ConfFlags = Pick<CommonFlags, 'config' | 'root' | 'manifests' | 'state'>

/** `steward conf get`: the value alone; 1 where there is none. */
export async function get(flags: ConfFlags, name: string): Promise<number> {
  const setting = settingOf(name)
  const file = openConf(flags)
  const entry = file.conf.get(setting.section, setting.key)
  if (!entry) throw new Refusal(notSet(setting, file, confReaders(libraryOf(flags))))
  print(process.stdout.isTTY ? visible(entry.value) : entry.value)
  return 0
}

/** `steward conf set`: refuses what the parameter that reads the setting would refuse. */
export async function set(flags: ConfFlags, name: string, value: string): Promise<number> {
  const setting = settingOf(name)
  const file = openConf(flags)
  if (setting.section === 'secrets' && flags.config === undefined) throw new Refusal(isSecret(name))
  const library = libraryOf(flags)
  if (isClasses(setting)) refuseClasses(value, library)
  else checkValue(setting, value, file.conf, confReaders(library))
  return change(file, setting, setConf(file.text, setting.section, setting.key, value, file.shown))
}

/** `steward conf unset`: nothing to do where it is not set. */
export async function unset(flags: ConfFlags, name: string): Promise<number> {
  const setting = settingOf(name)
  const file = openConf(flags)
  return change(file, setting, unsetConf(file.text, setting.section, setting.key, file.shown))
}

/** `steward conf add`: items to a list, each only where it is not there yet. */
export async function add(flags: ConfFlags, name: string, value: string): Promise<number> {
  const { setting, file, library, entry } = openList(flags, name)
  const items = listItems(value)
  if (isClasses(setting)) refuseClasses(value, library)
  const same = isClasses(setting) ? sameClass(library) : (a: string, b: string) => a === b
  const listed = listItems(entry?.value ?? '')
  const added: string[] = []
  for (const item of items) {
    const known = [...listed, ...added].find((other) => same(item, other))
    if (known === undefined) added.push(item)
    else print(`Nothing to do for ${item}: it is listed${known === item ? '' : ` as ${known}`}.`)
  }
  if (added.length === 0) return 0
  const longer = withItems(entry?.value ?? '', added)
  if (!isClasses(setting)) checkValue(setting, longer, file.conf, confReaders(library))
  return change(file, setting, setConf(file.text, setting.section, setting.key, longer, file.shown))
}

/** `steward conf remove`: items from a list; nothing to do for those that are not there. */
export async function remove(flags: ConfFlags, name: string, value: string): Promise<number> {
  const { setting, file, library, entry } = openList(flags, name)
  const listed = listItems(entry?.value ?? '')
  const bare = (item: string) => (isClasses(setting) ? item.replace(/^::/, '') : item)
  const wanted = listItems(value)
  const missing = wanted.filter((item) => !listed.some((other) => bare(other) === bare(item)))
  if (isClasses(setting)) {
    const strange = missing.filter((item) => !library.find(bare(item)))
    if (strange.length > 0)
      throw new Refusal(strange.map((item) => notListed(item, listed, library)))
  }
  for (const item of missing) print(`Nothing to do for ${item}: it is not listed.`)
  if (missing.length === wanted.length) return 0
  const isMeant = (other: string) => wanted.some((item) => bare(item) === bare(other))
  const shorter = withoutItems(entry?.value ?? '', isMeant)
  return change(
    file,
    setting,
    setConf(file.text, setting.section, setting.key, shorter, file.shown),
  )
}

/** `steward conf migrate`: the classes that zulip.conf lists, by the names that they have today. */
export async function migrate(flags: ConfFlags): Promise<number> {
  const { setting, file, library, entry } = openList(flags, 'machine.puppet_classes')
  if (!entry) {
    print(`Nothing to do: ${setting.name} is not set in ${file.shown}.`)
    return 0
  }
  const today = (item: string) => {
    const bare = item.replace(/^::/, '')
    const name =
      library.read(bare)?.aliasOf === undefined ? item : (library.find(bare)?.name ?? item)
    if (name !== item) print(`${item} is called ${name} today.`)
    return name
  }
  const renamed = withRenamed(entry.value, today)
  if (listItems(renamed).join() === listItems(entry.value).join()) {
    print(`Nothing to do: every class that ${file.shown} lists has the name of today.`)
    return 0
  }
  return change(
    file,
    setting,
    setConf(file.text, setting.section, setting.key, renamed, file.shown),
  )
}

interface Setting {
  readonly section: string
  readonly key: string
  /** As the user wrote it. */
  readonly name: string
}

function settingOf(name: string): Setting {
  const dot = name.indexOf('.')
  if (dot > 0 && dot < name.length - 1)
    return { section: name.slice(0, dot), key: name.slice(dot + 1), name }
  throw new Refusal({
    severity: 'error',
    code: 'usage',
    message: `"${name}" is no setting of zulip.conf`,
    expected: 'SECTION.KEY, such as memcached.memory for "memory" in its section [memcached]',
  })
}

function isClasses({ section, key }: Pick<Setting, 'section' | 'key'>): boolean {
  return section === 'machine' && key.toLowerCase() === 'puppet_classes'
}

function libraryOf(flags: ConfFlags): Library {
  const state = stateOf(flags, resolve(flags.root ?? '/'))
  return openLibrary({ manifests: flags.manifests ?? [], state, mayKeep: false })
}

/** Writes what was edited and says what changed, in one line. */
function change(file: ConfFile, { section, key, name }: Setting, edit: ConfEdit): number {
  if ('diagnostics' in edit) throw new Refusal(edit.diagnostics)
  const before = file.conf.get(section, key)?.value
  const after = replaceConf(file, edit.text).get(section, key)?.value
  const shown = (value: string) => visible(value === '' ? '""' : value)
  if (edit.text === file.text) {
    const state = before === undefined ? 'not set' : `already ${shown(before)}`
    print(`Nothing to do: ${name} is ${state} in ${file.shown}.`)
  } else {
    const was = before === undefined ? '' : ` (was ${shown(before)})`
    print(
      after === undefined
        ? `${name} is no longer set in ${file.shown}${was}.`
        : `${name} is now ${shown(after)} in ${file.shown}${was}.`,
    )
  }
  return 0
}

function openList(flags: ConfFlags, name: string) {
  const setting = settingOf(name)
  const file = openConf(flags)
  const library = libraryOf(flags)
  const entry: ConfEntry | undefined = file.conf.get(setting.section, setting.key)
  if (isClasses(setting)) {
    const list = entry && classList(entry)
    if (list && 'diagnostics' in list) throw new Refusal(list.diagnostics)
  } else {
    const readers = readersOf(confReaders(library), setting.section, setting.key)
    if (!readers.some(({ key, decl }) => key !== '*' && decl.type === 'array'))
      throw new Refusal({
        severity: 'error',
        code: 'usage',
        message: `no class reads ${name} as a list`,
        expected: 'machine.puppet_classes, or another setting that is a list',
        help: `give it one value with: steward conf set ${name} VALUE`,
      })
  }
  return { setting, file, library, entry }
}

function refuseClasses(value: string, library: Library): void {
  const faults = listItems(value).flatMap((item): Diagnostic[] => {
    const name = item.replace(/^::/, '')
    const manifest = library.find(name)
    if (manifest?.kind === 'class' && !manifest.steps) return []
    if (library.isBad(name)) return [...library.diagnostics]
    const what = manifest?.kind === 'define' ? 'a define' : 'a procedure'
    return [
      {
        severity: 'error',
        code: 'unknown-class',
        message: manifest ? `${name} is ${what}, not a class` : `there is no class ${name}`,
        help: library.nearest(name) ?? 'steward classes lists those that exist',
      },
    ]
  })
  if (faults.length > 0) throw new Refusal(faults)
}

/** Whether two names mean one class, also where one of them is an alias. */
function sameClass(library: Library): (a: string, b: string) => boolean {
  const meant = (name: string) => {
    const bare = name.replace(/^::/, '')
    return library.find(bare)?.name ?? bare
  }
  return (a, b) => meant(a) === meant(b)
}

/**
 * Refuses what a parameter would not take, and warns of a name that nobody reads and that looks like another.
 */
function checkValue(
  { section, key, name }: Setting,
  value: string,
  conf: Conf,
  readers: readonly ConfReader[],
): void {
  const own = readersOf(readers, section, key)
  const faults = own.flatMap((reader) => valueFaults(reader, key, value))
  if (faults.length > 0) throw new Refusal(faults)
  if (own.length > 0 || conf.get(section, key)) return
  const near = nearestSetting(readers, section, key)
  if (near === undefined) return
  showDiagnostics([
    {
      severity: 'warning',
      code: 'unknown-parameter',
      message: `no class reads ${name}`,
      help: `did you mean "${near}"? To take it back: steward conf unset ${name}`,
    },
  ])
}

function notSet(
  { section, key, name }: Setting,
  { conf, exists, shown }: ConfFile,
  readers: readonly ConfReader[],
): Diagnostic {
  const own = readersOf(readers, section, key)
  const set = [...conf.sections()].flatMap((each) =>
    [...(conf.section(each)?.keys() ?? [])].map((other) => `${each}.${other}`),
  )
  const read = readers
    .filter((reader) => reader.key !== '*')
    .map((each) => `${each.section}.${each.key}`)
  const unread = isClasses({ section, key }) ? '' : ', and no class reads it'
  const near = own.length > 0 ? undefined : nearestSetting(readers, section, key)
  return {
    severity: 'error',
    code: 'not-found',
    message: `${exists ? `${shown} does not set ${key} in a section [${section}]` : `there is no ${shown}`}${
      own.length > 0 ? `; ${own.map(withoutSetting).join('; ')}` : unread
    }`,
    help:
      (own.length > 0
        ? undefined
        : near === undefined
          ? didYouMean(name, new Set([...set, ...read]))
          : `did you mean "${near}"?`) ?? `set it with: steward conf set ${name} VALUE`,
  }
}

/** What a parameter is where its setting is not there. */
function withoutSetting({ parameter, owner, key, decl }: ConfReader): string {
  const whose = `"${parameter}" of ${owner}`
  if (key === '*') return `${whose} reads its section`
  const { default: value } = decl
  if (value === undefined) return `${whose} has no value then`
  if (isSecretParameter(decl)) return `${whose} has a value of its own then, which is secret`
  return `${whose} is then ${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}`
}

function notListed(item: string, listed: readonly string[], library: Library): Diagnostic {
  return {
    severity: 'error',
    code: 'unknown-class',
    message: `${item} is not listed, and there is no such class`,
    ...(listed.length > 0 ? { expected: `one of: ${listed.join(', ')}` } : {}),
    help:
      didYouMean(item, listed) ??
      library.nearest(item) ??
      'steward conf get machine.puppet_classes',
  }
}

function isSecret(name: string): Diagnostic {
  return {
    severity: 'error',
    code: 'usage',
    message: `${name} is a secret, and every user of the host can read zulip.conf`,
    help: 'edit zulip-secrets.conf, which "from: secrets.NAME" reads',
  }
}
