import type { Paint } from '../diagnostics/render.ts'
import { visibleLine } from '../diagnostics/visible.ts'
import type { Event } from '../events.ts'
import { renderEvent } from './event-text.ts'

/** What a frame shows. Times are in milliseconds. */
export interface ProgressView {
  /**
   * All that has been told so far, the oldest first; it only grows. One text a frame, for each costs a layout.
   */
  readonly told: string[]
  readonly running: readonly {
    readonly name: string
    readonly elapsedMs: number
    /** How long it took the last time; absent where it is not on record. */
    readonly beforeMs?: number
  }[]
  /** What the act is at that takes long. */
  readonly doing?: string
  readonly done: number
  /** 0 where nobody knows, as in a procedure. */
  readonly planned: number
  /** Absent where too little is on record to tell. */
  readonly leftMs?: number
}

/** What a long act is at, as whoever does it tells between events; forgotten once something has ended. */
export interface Doing {
  now?: string
}

/** Follows a run from event to event. Times that it is given are in milliseconds, from any fixed instant. */
export class ProgressState {
  readonly #paint: Paint
  readonly #planned: number
  readonly #left: Set<string>
  readonly #expected: (ref: string) => number | undefined
  readonly #previous: ReadonlyMap<string, number>
  readonly #running = new Map<string, { readonly name: string; readonly since: number }>()
  readonly #doing: Doing
  readonly #told: string[] = []
  /** Lines since the last frame. */
  #news: string[] = []

  constructor(options: {
    readonly planned: readonly { readonly ref: string }[]
    /** How long resources took before, by reference. */
    readonly previous: ReadonlyMap<string, number>
    readonly doing?: Doing
    readonly paint: Paint
  }) {
    this.#doing = options.doing ?? {}
    this.#paint = options.paint
    this.#left = new Set(options.planned.map(({ ref }) => ref))
    this.#planned = this.#left.size
    this.#previous = options.previous
    this.#expected = expectations(options.previous)
  }

  take(event: Event, now: number): void {
    if (event.type === 'resource_started') {
      this.#running.set(event.ref, { name: visibleLine(event.ref), since: now })
    } else if (event.type === 'resource_finished') {
      this.#running.delete(event.ref)
      delete this.#doing.now
      this.#left.delete(event.ref)
    }
    const text = renderEvent(event, { paint: this.#paint, verbose: false })
    if (text !== undefined) this.#news.push(text)
  }

  /** The next frame. */
  view(now: number): ProgressView {
    if (this.#news.length > 0) this.#told.push(this.#news.join('\n'))
    this.#news = []
    const leftMs = this.#leftMs(now)
    const doing = this.#doing.now
    return {
      told: [...this.#told],
      running: [...this.#running].map(([ref, { name, since }]) => {
        const beforeMs = this.#previous.get(ref)
        return { name, elapsedMs: now - since, ...(beforeMs === undefined ? {} : { beforeMs }) }
      }),
      ...(doing === undefined ? {} : { doing: visibleLine(doing) }),
      done: this.#planned - this.#left.size,
      planned: this.#planned,
      ...(leftMs === undefined ? {} : { leftMs }),
    }
  }

  /** What is left, as long as it took before; undefined where of most of it nothing is known. */
  #leftMs(now: number): number | undefined {
    let waitingMs = 0
    let runningMs = 0
    let elapsedMs = 0
    let unknown = 0
    for (const ref of this.#left) {
      const running = this.#running.get(ref)
      const expected = this.#expected(ref)
      if (expected === undefined) unknown++
      else if (running) runningMs += expected
      else waitingMs += expected
      // Those that run side by side share their time.
      if (running) elapsedMs = Math.max(elapsedMs, now - running.since)
    }
    if (this.#left.size === 0 || unknown * 2 > this.#left.size) return undefined
    return waitingMs + Math.max(0, runningMs - elapsedMs)
  }
}

/** How long a resource took before, or, where it is new, what others of its type took on average. */
function expectations(previous: ReadonlyMap<string, number>): (ref: string) => number | undefined {
  const sums = new Map<string, { ms: number; count: number }>()
  for (const [ref, ms] of previous) {
    const sum = sums.get(typeOf(ref)) ?? { ms: 0, count: 0 }
    sums.set(typeOf(ref), { ms: sum.ms + ms, count: sum.count + 1 })
  }
  return (ref) => {
    const sum = sums.get(typeOf(ref))
    return previous.get(ref) ?? (sum && sum.ms / sum.count)
  }
}

function typeOf(ref: string): string {
  return ref.slice(0, ref.indexOf('['))
}
