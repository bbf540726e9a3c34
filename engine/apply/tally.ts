import type { CatalogResource } from '../compile/catalog.ts'
import type { Event, Outcome, Summary } from '../events.ts'

/** How a resource ended, without what every end tells. */
export type Finished = Omit<
  Extract<Event, { type: 'resource_finished' }>,
  'type' | 'ref' | 'durationMs'
>

/** Counts how the resources of a run ended. */
export class Tally {
  interrupted = false
  /** How many of those that were not changed may differ. */
  leftAlone = 0
  /** How many are as somebody edited them. */
  kept = 0
  /** How many of those that failed were changed before they did. */
  partly = 0
  conflicts = 0
  /** By reference, whose changes were taken back. */
  readonly #takenBack = new Set<string>()
  readonly #counts: Record<Outcome, number> = {
    unchanged: 0,
    changed: 0,
    refreshed: 0,
    failed: 0,
    skipped: 0,
    noop: 0,
    unknown: 0,
  }
  #overwritten: string[] = []

  add(resource: CatalogResource, finished: Finished): void {
    this.#counts[finished.outcome]++
    if (finished.outcome === 'changed') this.#overwritten.push(...overwrittenBy(resource, finished))
  }

  /** Whose files are as they were before the run was not changed by it. */
  takeBack(resources: readonly CatalogResource[], paths: readonly string[]): void {
    for (const { ref } of resources) this.#takenBack.add(ref)
    this.#overwritten = this.#overwritten.filter((path) => !paths.includes(path))
  }

  summary(run: string, durationMs: number): Summary {
    const { changed, refreshed, failed, skipped, unchanged, noop, unknown } = this.#counts
    return {
      run,
      status: this.interrupted ? 'interrupted' : failed > 0 ? 'failed' : 'done',
      changed: changed - this.#takenBack.size,
      refreshed,
      failed,
      skipped,
      unchanged: unchanged - this.leftAlone - this.kept,
      other: noop + unknown + this.leftAlone + this.kept,
      durationMs,
      ...(this.#takenBack.size > 0 ? { putBack: this.#takenBack.size } : {}),
      ...(this.kept > 0 ? { edited: this.kept } : {}),
      ...(unknown > 0 ? { unknown } : {}),
      ...(noop > 0 ? { noop } : {}),
      ...(this.partly > 0 ? { partly: this.partly } : {}),
      ...(this.conflicts > 0 ? { conflicts: this.conflicts } : {}),
      ...(this.#overwritten.length > 0 ? { overwritten: this.#overwritten } : {}),
    }
  }
}

/** The paths, at and below the title of a file, whose local edits went with a change. */
function overwrittenBy({ title }: CatalogResource, { changes }: Finished): string[] {
  const paths = changes.flatMap(({ attribute, from, edit, at }) => {
    if (edit === undefined || from === undefined || from === 'absent') return []
    const name = attribute.slice(0, Math.max(0, attribute.lastIndexOf(': ')))
    return [at ?? (name === '' ? title : `${title}/${name}`)]
  })
  return [...new Set(paths)]
}
