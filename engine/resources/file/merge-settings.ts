import type { Region } from './merge-lines.ts'
import { type Format, type Item, itemsOf } from './settings.ts'

/** A setting that both sides gave another value. */
export interface SettingConflict {
  /** The index of its first line, or of the place where it was, in what is here. */
  readonly at: number
  readonly here: readonly string[]
  readonly base: readonly string[]
  readonly there: readonly string[]
}

type Sides = Readonly<Record<'base' | 'here' | 'there', readonly string[]>>

/**
 * The lines of both descendants merged: by lines, and where they touch by settings. A setting that both changed is a
 * conflict wherever it stands, and so is one that would not get the value of the side that changed it.
 */
export function mergeSettings(
  regions: readonly Region[],
  sides: Sides,
  format: Format,
): { readonly lines: readonly string[] } | { readonly conflicts: readonly SettingConflict[] } {
  const lines = regions.flatMap((region) => region.ok ?? mergedItems(region, format))
  const conflicts = conflictsOf(lines, sides, format)
  return conflicts.length > 0 ? { conflicts } : { lines }
}

/** Settings that the merged lines do not have as the side that changed them has. */
function conflictsOf(lines: readonly string[], sides: Sides, format: Format): SettingConflict[] {
  const [merged, base, here, there] = [lines, sides.base, sides.here, sides.there].map((each) =>
    valuesOf(each, format),
  ) as [Values, Values, Values, Values]
  const conflicts: SettingConflict[] = []
  for (const key of new Set([...base.keys(), ...here.keys(), ...there.keys()])) {
    const [of, mine, theirs] = [base.get(key), here.get(key), there.get(key)]
    const isMine = same(theirs, of)
    const isOne = isMine || same(mine, of) || same(mine, theirs)
    if (isOne && same(merged.get(key), isMine ? mine : theirs)) continue
    const [a = [], b = [], c = []] = [mine, of, theirs].map((each) => each?.lines)
    const at = mine?.at ?? placeOf(key, of ? base : there, here)
    conflicts.push({ at, here: a, base: b, there: c })
  }
  // What no side has has come into another section, and is missing in its own.
  return conflicts.sort((a, b) => a.at - b.at)
}

/** Behind the last setting before it that is here. */
function placeOf(key: string, from: Values, here: Values): number {
  const before = [...from.keys()]
  const last = before.slice(0, before.indexOf(key)).findLast((each) => here.has(each))
  return last === undefined ? 0 : (here.get(last)?.at ?? 0) + 1
}

/** Each setting with all lines that give it a value, and where the first of them is. */
type Values = Map<string, { readonly at: number; readonly lines: string[] }>

function valuesOf(lines: readonly string[], format: Format): Values {
  const values: Values = new Map()
  for (const { key, isSetting, at, lines: own } of itemsOf(lines, format)) {
    if (!isSetting) continue
    const known = values.get(key)
    if (known) known.lines.push(...own)
    else values.set(key, { at, lines: [...own] })
  }
  return values
}

function same(
  a: { readonly lines: readonly string[] } | undefined,
  b: { readonly lines: readonly string[] } | undefined,
): boolean {
  return a?.lines.join('\n') === b?.lines.join('\n')
}

/** What is here, with what there was changed, taken away, and added behind what it stands behind there. */
function mergedItems(
  { base, here, there }: Pick<SettingConflict, 'base' | 'here' | 'there'>,
  format: Format,
): readonly string[] {
  const [of, mine, theirs] = [base, here, there].map((lines) => numbered(lines, format)) as [
    Items,
    Items,
    Items,
  ]
  const result: { readonly key: string; readonly lines: readonly string[] }[] = []
  for (const [key, item] of mine) {
    const [before, other] = [of.get(key), theirs.get(key)]
    if (other && before && same(item, before)) result.push({ key, lines: other.lines })
    else if (other || !before || !same(item, before)) result.push({ key, lines: item.lines })
  }
  let behind = -1
  for (const [key, { lines }] of theirs) {
    const at = result.findIndex((each) => each.key === key)
    if (at >= 0) behind = at
    else if (!of.has(key)) result.splice(++behind, 0, { key, lines })
  }
  return result.flatMap(({ lines }) => lines)
}

type Items = ReadonlyMap<string, Item>

/** By key, the second of one and the same apart from the first. */
function numbered(lines: readonly string[], format: Format): Items {
  const counts = new Map<string, number>()
  return new Map(
    itemsOf(lines, format).map((item) => {
      const count = counts.get(item.key) ?? 0
      counts.set(item.key, count + 1)
      return [`${item.key}\0${count}`, item]
    }),
  )
}
