import { diffArrays } from 'diff'
import { diff3Merge } from 'node-diff3'

/** A part of two descendants of one list of lines: what it is to be, or what each made of it. */
export type Region =
  | { readonly ok: readonly string[] }
  | {
      readonly ok?: undefined
      /** The index of its first line in what is here. */
      readonly at: number
      readonly here: readonly string[]
      readonly base: readonly string[]
      readonly there: readonly string[]
    }

/** Up to here the lines are compared each with each, which takes a second for so many. */
const MAX_LINES = 5000
/** Of longer texts, how many lines may differ: the work grows with the square of that, and not of all lines. */
const MAX_EDITED_LINES = 2000

/**
 * The regions of two descendants of one list of lines, in their order; undefined where they differ too much to tell.
 * No time is measured: the same lines give the same regions.
 */
export function regionsOf(
  base: readonly string[],
  here: readonly string[],
  there: readonly string[],
): readonly Region[] | undefined {
  if ([base, here, there].some(({ length }) => length > MAX_LINES)) return ofLong(base, here, there)
  return diff3Merge([...here], [...base], [...there]).map(({ ok, conflict }): Region => {
    if (ok) return { ok }
    const { a = [], aIndex = 0, b = [], o = [] } = conflict ?? {}
    return { at: aIndex, here: a, base: o, there: b }
  })
}

/** Lines of the base that a side has others for. Indexes, the ends exclusive. */
interface Hunk {
  readonly side: 'here' | 'there'
  readonly from: number
  readonly to: number
  readonly lines: readonly string[]
}

function ofLong(
  base: readonly string[],
  here: readonly string[],
  there: readonly string[],
): readonly Region[] | undefined {
  const [own, other] = [hunksOf('here', base, here), hunksOf('there', base, there)]
  if (!own || !other) return undefined
  const hunks = [...own, ...other].sort((a, b) => a.from - b.from || a.to - b.to)
  const regions: Region[] = []
  /** How far the base is done, and how many lines more are here by then. */
  let done = 0
  let shift = 0
  for (let next = 0; next < hunks.length; ) {
    const { from } = hunks[next] as Hunk
    let { to } = hunks[next] as Hunk
    const group: Hunk[] = []
    // What touches is one region: two insertions at one place contradict each other.
    for (; next < hunks.length && (hunks[next] as Hunk).from <= to; next++) {
      group.push(hunks[next] as Hunk)
      to = Math.max(to, (hunks[next] as Hunk).to)
    }
    regions.push({ ok: base.slice(done, from) })
    const [mine, theirs] = (['here', 'there'] as const).map((side) =>
      sideOf(
        base,
        { from, to },
        group.filter((hunk) => hunk.side === side),
      ),
    ) as [readonly string[], readonly string[]]
    const isOne = group.every(({ side }) => side === group[0]?.side)
    if (isOne) regions.push({ ok: group[0]?.side === 'here' ? mine : theirs })
    else if (areSame(mine, theirs)) regions.push({ ok: mine })
    else regions.push({ at: from + shift, here: mine, base: base.slice(from, to), there: theirs })
    shift += mine.length - (to - from)
    done = to
  }
  return [...regions, { ok: base.slice(done) }]
}

function hunksOf(
  side: Hunk['side'],
  base: readonly string[],
  lines: readonly string[],
): Hunk[] | undefined {
  const parts = diffArrays([...base], [...lines], { maxEditLength: MAX_EDITED_LINES })
  if (!parts) return undefined
  const hunks: Hunk[] = []
  let at = 0
  let open: { from: number; to: number; lines: string[] } | undefined
  for (const { value, added, removed } of parts) {
    if (!added && !removed) {
      if (open) hunks.push({ side, ...open })
      open = undefined
      at += value.length
      continue
    }
    open ??= { from: at, to: at, lines: [] }
    if (added) open.lines.push(...value)
    else {
      at += value.length
      open.to = at
    }
  }
  return open ? [...hunks, { side, ...open }] : hunks
}

/** What a side made of a part of the base. */
function sideOf(
  base: readonly string[],
  { from, to }: { readonly from: number; readonly to: number },
  hunks: readonly Hunk[],
): readonly string[] {
  const lines: string[] = []
  let at = from
  for (const hunk of hunks) {
    lines.push(...base.slice(at, hunk.from), ...hunk.lines)
    at = hunk.to
  }
  return [...lines, ...base.slice(at, to)]
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, at) => line === b[at])
}
