import { expect } from 'vitest'

const sampled = process.env.STEWARD_TEST_SERIES === 'sample'

/** The same `count` of them every time, from the first to the last. */
export function spread<T>(all: readonly T[], count: number): T[] {
  if (count >= all.length) return [...all]
  return Array.from(
    { length: count },
    (_, index) => all[Math.floor((index * all.length) / count)],
  ).filter((item) => item !== undefined)
}

/** How often a run makes some calls depends on the moment (opens, writes to pipes of its own): the next run may meet it. */
const ATTEMPTS = 3

export interface AtPoint {
  /** Whether the run came to the point. */
  readonly reached: boolean
  /** What was torn, lost or told badly there. */
  readonly losses: readonly string[]
}

/**
 * Takes all points, or of the sample so many, in several places at once. Prints how many there were and how many losses,
 * of which there is to be none.
 */
export async function eachPoint<Point, Place>(
  title: string,
  points: { readonly all: readonly Point[]; readonly sample: number },
  places: readonly Place[],
  body: (place: Place, point: Point) => Promise<AtPoint>,
): Promise<void> {
  const chosen = sampled ? spread(points.all, points.sample) : points.all
  console.log(`${title}: ${chosen.length} of ${points.all.length}`)
  const waiting = [...chosen]
  const lost: string[] = []
  let reached = 0
  const worker = async (place: Place): Promise<void> => {
    for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) {
      let isReached = false
      for (let attempt = 0; attempt < ATTEMPTS && !isReached; attempt++) {
        const at = await body(place, point)
        isReached = at.reached
        lost.push(...at.losses.map((loss) => `${JSON.stringify(point)}: ${loss}`))
      }
      if (isReached) reached++
    }
  }
  await Promise.all(places.map(worker))
  console.log(`${title}: reached ${reached} of ${chosen.length}, losses ${lost.length}`)
  expect(lost).toEqual([])
  // A run may take a few calls less than the one that was counted, but not many.
  expect(reached).toBeGreaterThan(chosen.length * 0.9)
}
