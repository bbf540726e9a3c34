import type { Catalog } from '../../engine/compile/catalog.ts'
import type { Library } from '../../engine/load/library.ts'
import {
  newDirectoryMode,
  newFileMode,
  parseMode,
  resolveMode,
} from '../../engine/resources/mode.ts'
import { type Counterpart, Counterparts } from './counterparts.ts'
import { attributesOf, matches, names, type Rule } from './differences.ts'
import type { Row } from './row.ts'

/** Where ours differs from a row: in one attribute, or in that there is no such resource. */
export interface Finding {
  readonly row: Row
  readonly attribute?: string
  readonly stated?: string
  /** As text; undefined where ours leaves the attribute as it is. */
  readonly ours?: string | undefined
}

/** A real catalog beside ours. */
export interface Comparison {
  readonly configuration: string
  readonly rows: readonly Row[]
  /** What no rule covers. */
  readonly open: readonly Finding[]
  readonly covered: readonly { readonly finding: Finding; readonly rule: Rule }[]
  /** Rules that say of a row what is not so, in sentences. */
  readonly wrong: readonly string[]
}

/** Compares every row with what answers it in our catalog. Without a catalog nothing answers. */
export function compare(
  configuration: string,
  rows: readonly Row[],
  catalog: Catalog | undefined,
  library: Library,
  rules: readonly Rule[],
): Comparison {
  const ours = catalog && new Counterparts(catalog, library)
  const findings = new Map(rows.map((row) => [row, findingsOf(row, ours)]))
  const relevant = rules.filter((rule) => rows.some((row) => names(rule, row, configuration)))
  const ruleOf = ({ row, attribute }: Finding) =>
    relevant.find(
      (rule) =>
        names(rule, row, configuration) &&
        (attribute === undefined
          ? rule.attribute === undefined
          : attributesOf(rule).includes(attribute)),
    )
  const settled = [...findings.values()].flat().map((finding) => ({
    finding,
    rule: ruleOf(finding),
  }))
  return {
    configuration,
    rows,
    open: settled.filter(({ rule }) => !rule).map(({ finding }) => finding),
    covered: settled.flatMap(({ finding, rule }) => (rule ? [{ finding, rule }] : [])),
    wrong: relevant.flatMap((rule) =>
      rows
        .filter((row) => names(rule, row, configuration))
        .flatMap((row) => faultsOf(rule, row, findings.get(row) ?? [], ours))
        .map((fault) => `${configuration}: rule ${rule.id}: ${fault}`),
    ),
  }
}

/** A rule covers all that it names, or it names too much. */
function faultsOf(
  rule: Rule,
  row: Row,
  found: readonly Finding[],
  ours: Counterparts | undefined,
): string[] {
  const ref = `${row.type}[${row.title}]`
  const isMissing = found.some(({ attribute }) => attribute === undefined)
  const faults: string[] = []
  if (rule.attribute === undefined && !isMissing) faults.push(`there is a ${ref} of ours`)
  for (const name of attributesOf(rule)) {
    if (isMissing) faults.push(`there is no ${ref} of ours that could differ in ${name}`)
    else if (row.stated.has(name) && !found.some(({ attribute }) => attribute === name))
      faults.push(`${ref} does not differ in ${name}`)
  }
  for (const glob of [rule.by ?? []].flat()) {
    const wanted = glob.replaceAll('{title}', row.title)
    if (!ours?.has((each) => matches(wanted, each)))
      faults.push(`there is no ${wanted} of ours that stands for ${ref}`)
  }
  return faults
}

function findingsOf(row: Row, ours: Counterparts | undefined): Finding[] {
  const counterpart = ours?.find(row)
  if (!ours || !counterpart) return [{ row }]
  const { resource } = counterpart
  const refreshed = resource ? ours.servicesRefreshedBy(resource) : []
  const own: Counterpart = {
    ...counterpart,
    attributes: { ...counterpart.attributes, refreshes: refreshed },
  }
  const isAbsent = own.attributes.ensure === 'absent'
  const stated = [...row.stated]
  // What is to be gone answers no row that says anything else of it.
  if (isAbsent && row.stated.get('ensure') === undefined && stated.length > 0)
    return [{ row, attribute: 'ensure', stated: 'present', ours: 'absent' }]
  return stated
    .filter(([name, value]) => !agrees(name, value, own, row))
    .map(([attribute, value]) => ({
      row,
      attribute,
      stated: value,
      ours: shown(own.attributes[attribute]),
    }))
}

/** Whether an attribute of ours says what a row states of it. */
function agrees(name: string, stated: string, { attributes }: Counterpart, row: Row): boolean {
  const ours = attributes[name]
  switch (name) {
    case 'ensure':
      return agreesInEnsure(row.type, stated, ours)
    case 'mode':
      return agreesInMode(stated, ours, row, attributes.ensure)
    case 'refreshes':
    case 'groups':
      return stated.split(/[ ,]/).every((each) => list(ours).includes(each))
    case 'creates':
      return list(ours).includes(stated)
    case 'sha256':
      return JSON.stringify(attributes).toLowerCase().includes(stated)
    case 'command':
      // The program's path and what is logged may differ, what is run may not.
      return shown(ours)?.includes(commandOf(stated)) === true
    case 'schedule':
      return shown(ours)?.trim().split(/\s+/).join(' ') === stated
    case 'user':
      return (ours ?? 'root') === stated
    case 'membership':
      // Groups that are not listed are always left as they are.
      return stated === 'minimum'
    case 'recurse':
    case 'refreshonly':
    case 'purge':
    case 'system':
    case 'managehome':
      return shown(ours ?? false) === stated
    default:
      return shown(ours) === stated
  }
}

/** `installed`, `running` and so on mean the same as another word or as none. */
function agreesInEnsure(type: string, stated: string, ours: unknown): boolean {
  switch (type) {
    case 'package': {
      const own = shown(ours) ?? 'present'
      return stated === 'installed' ? !['absent', 'purged'].includes(own) : own === stated
    }
    case 'service':
      return ours === stated || (ours === true && stated === 'running')
    case 'file':
      if (stated === 'present') return ours !== undefined && ours !== 'absent'
      return ours === stated || (stated === 'file' && ours === 'present')
    case 'cron':
      return (ours ?? 'present') === stated
    default:
      return ours === stated
  }
}

/** By the bits that come of it: on a directory, read gives search. */
function agreesInMode(stated: string, ours: unknown, row: Row, ensure: unknown): boolean {
  const [theirMode, ourMode] = [parseMode(stated), parseMode(shown(ours) ?? '')]
  if (!theirMode || !ourMode) return false
  const isDirectory = row.stated.get('ensure') === 'directory' || ensure === 'directory'
  const [kind, present] = isDirectory
    ? (['directory', newDirectoryMode] as const)
    : (['file', newFileMode] as const)
  return resolveMode(theirMode, present, kind) === resolveMode(ourMode, present, kind)
}

/** The name of the program and its arguments, without where they are written to. */
function commandOf(stated: string): string {
  return stated.replace(/^\S*\//, '').replace(/ *>.*$/, '')
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

function shown(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value)) return value.join(' ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
