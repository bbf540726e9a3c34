import type { Comparison, Finding } from './compare.ts'
import type { Differences } from './differences.ts'
import type { Inventory } from './inventories.ts'
import { refOf } from './row.ts'

/** Findings by the class that holds them in the real catalog; at most `limit` of them, then counts. */
export function openTable(
  { configuration, rows }: Comparison,
  open: readonly Finding[],
  limit = Infinity,
): string {
  const left = open.slice(limit)
  const counts = [...Map.groupBy(left, groupOf)].map(([name, all]) => `${name} ${all.length}`)
  return [
    `${configuration}: ${open.length} differences from the ${rows.length} resources of the real catalog`,
    ...grouped(open.slice(0, limit).map((finding) => ({ finding, note: '' }))),
    ...(counts.length > 0 ? [`  and ${left.length} more: ${counts.join(', ')}`] : []),
  ].join('\n')
}

/** All that there is to say of one configuration. */
export function wholeText({ waitsFor, outcome, comparison }: Inventory): string {
  return [
    openTable(comparison, comparison.open),
    ...(waitsFor === undefined ? [] : [`  it waits for ${waitsFor}`]),
    ...[...outcome.lacks, ...comparison.wrong].map((sentence) => `  ${sentence}`),
  ].join('\n')
}

/** How many resources each rule names. */
export function rulesTable({ rules }: Differences, counts: ReadonlyMap<string, number>): string {
  return rules
    .map(({ id, resources }) => {
      const found = counts.get(id) ?? 0
      return `${id}: ${found}${found === resources ? '' : `, and says ${resources}`}`
    })
    .join('\n')
}

/** What each rule covers of one configuration. */
export function coveredTable({ configuration, covered }: Comparison): string {
  const rules = [...Map.groupBy(covered, ({ rule }) => rule)].map(([{ id, reason, by }, all]) =>
    [
      `  ${id}: ${reason.trim()}`,
      ...(by === undefined ? [] : [`    in its place: ${[by].flat().join(', ')}`]),
      ...all.map(({ finding }) => `    ${lineOf(finding)}`),
    ].join('\n'),
  )
  return [`${configuration}, on purpose:`, ...rules].join('\n')
}

/** One line a configuration. */
export function summaryTable(inventories: readonly Inventory[]): string {
  const width = Math.max(...inventories.map(({ name }) => name.length))
  const numbers = (values: readonly (number | string)[]) =>
    values.map((value) => String(value).padStart(8)).join('')
  return [
    `${'configuration'.padEnd(width)}${numbers(['rows', 'alike', 'covered', 'open'])}  `,
    ...inventories.map(({ name, waitsFor, comparison: { rows, open, covered } }) => {
      const differing = new Set(
        [...open, ...covered.map(({ finding }) => finding)].map((f) => f.row),
      )
      const counts = numbers([
        rows.length,
        rows.length - differing.size,
        new Set(covered.map(({ finding }) => finding.row)).size,
        new Set(open.map(({ row }) => row)).size,
      ])
      return `${name.padEnd(width)}${counts}  ${waitsFor === undefined ? '' : `waits for ${waitsFor}`}`.trimEnd()
    }),
  ].join('\n')
}

/** What is open anywhere, each difference once with the configurations that have it. */
export function missingTable(inventories: readonly Inventory[]): string {
  const all = inventories.flatMap(({ name, comparison }) =>
    comparison.open.map((finding) => ({ name, finding })),
  )
  const united = [
    ...Map.groupBy(all, ({ finding }) => `${groupOf(finding)} ${lineOf(finding)}`).values(),
  ].map((same) => ({
    finding: (same[0] as (typeof same)[number]).finding,
    note: `  (${shortened(
      same.map(({ name }) => name),
      inventories.map(({ name }) => name),
    )})`,
  }))
  return [
    `${united.length} differences in ${inventories.length} configurations`,
    ...grouped(united),
  ].join('\n')
}

function grouped(
  entries: readonly { readonly finding: Finding; readonly note: string }[],
): string[] {
  const groups = [...Map.groupBy(entries, ({ finding }) => groupOf(finding))]
  return groups
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, own]) => [
      `  ${name} (${own.length})`,
      ...own.map(({ finding, note }) => `    ${lineOf(finding)}${note}`).sort(),
    ])
}

function groupOf({ row }: Finding): string {
  return row.class === '' ? 'classes' : row.class
}

/** `file[/etc/x] mode: 0644, ours 0640`; of what is missing, all that is known. */
function lineOf({ row, attribute, stated, ours }: Finding): string {
  const ref = refOf(row)
  if (attribute !== undefined)
    return `${ref} ${attribute}: ${stated}, ours ${ours ?? 'says nothing'}`
  const facts = [...row.stated].map(([name, value]) => `${name}=${value}`)
  return [ref, ...facts].join(' ')
}

/** A few names as they are; many as what they have in common. */
function shortened(names: readonly string[], all: readonly string[]): string {
  if (names.length === all.length) return 'all'
  if (names.length <= 3) return names.join(', ')
  const rest = all.filter((name) => !names.includes(name))
  if (rest.length <= 3) return `all but ${rest.join(', ')}`
  return `${names.length} of ${all.length}, such as ${names.slice(0, 2).join(', ')}`
}
