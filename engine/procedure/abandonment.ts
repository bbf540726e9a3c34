import type { Event } from '../events.ts'
import type { ResourceDecl } from '../load/manifest.ts'
import type { Frame } from './frame.ts'
import type { Progress } from './progress.ts'
import type { Resolver, Step } from './step.ts'
import { isWithin, isWithinAny, keyed, lastName } from './step-keys.ts'

/** Thrown through the blocks around a step that failed. */
export class StepFailed extends Error {}

/** Behind the key of a block, in `finished`, while it is not done. */
export const ENTERED = '/entered'

/** What an abandonment needs of the walk that it belongs to. */
interface Walk {
  readonly counts: { failed: number }
  readonly resolver: Resolver
  expand(decl: ResourceDecl, frame: Frame, key: string, depth: number): Promise<readonly Step[]>
  steps(
    frame: Frame,
    decls: readonly ResourceDecl[],
    key: string,
    depth: number,
    inBlock: boolean,
  ): AsyncGenerator<Event>
}

/** The end of a run that was cut off and is not to go on. */
export class Abandonment {
  readonly #name: string
  readonly #progress: Progress
  readonly #walker: Walk
  /** Keys of the blocks whose rescue was taken. */
  readonly #abandoned = new Set<string>()

  constructor(
    { name, progress }: { readonly name: string; readonly progress: Progress },
    walker: Walk,
  ) {
    this.#name = name
    this.#progress = progress
    this.#walker = walker
  }

  /** Takes the rescue and always of each block that was begun and not ended, the innermost first. */
  async *of(frame: Frame): AsyncGenerator<Event> {
    const failed = { value: false }
    const cutOff = this.#entered()
    yield* this.#abandonIn(frame, frame.steps, 'steps', 0, failed)
    for (const key of cutOff.filter((each) => !this.#abandoned.has(each))) {
      failed.value = true
      yield this.#gone(key)
    }
    if (failed.value) throw new StepFailed()
  }

  /** The keys of the blocks that were begun and not ended. */
  #entered(): string[] {
    return Object.keys(this.#progress.finished)
      .filter((mark) => mark.endsWith(ENTERED))
      .map((mark) => mark.slice(0, -ENTERED.length))
  }

  /** A block that the procedure does not have any more. */
  #gone(key: string): Event {
    this.#walker.counts.failed++
    const title = lastName(key)
    return {
      type: 'step_finished',
      kind: 'steps',
      step: key,
      title,
      depth: 0,
      status: 'failed',
      error: {
        severity: 'error',
        code: 'apply-failed',
        message: `${title}, in which the run was cut off, is not among the steps of ${this.#name} any more: its rescue and always were not taken, and the run is closed`,
        help: 'put right by hand what they would have; the same command begins at the first step',
      },
    }
  }

  async *#abandonIn(
    frame: Frame,
    decls: readonly ResourceDecl[],
    key: string,
    depth: number,
    failed: { value: boolean },
  ): AsyncGenerator<Event> {
    const entered = this.#entered()
    for (const { decl, name } of keyed(decls)) {
      const own = `${key}/${name}`
      if (!entered.some((block) => isWithinAny(block, own))) continue
      for (const step of await this.#walker.expand(decl, frame, own, depth)) {
        if (!entered.some((block) => isWithin(block, step.key))) continue
        if (decl.type === 'block') yield* this.#abandonBlock(step, failed)
        else {
          const resolved = await this.#walker.resolver.resolve(step)
          if (resolved.kind !== 'steps') continue
          yield* this.#abandonIn(
            resolved.frame,
            resolved.frame.steps,
            `${step.key}/steps`,
            depth + 1,
            failed,
          )
        }
      }
    }
  }

  async *#abandonBlock(
    { key, frame, depth, decl }: Step,
    failed: { value: boolean },
  ): AsyncGenerator<Event> {
    const part = (name: string) => decl.attributes[name] as readonly ResourceDecl[] | undefined
    this.#abandoned.add(key)
    yield* this.#abandonIn(frame, part('steps') ?? [], `${key}/steps`, depth + 1, failed)
    for (const name of ['rescue', 'always']) {
      try {
        yield* this.#walker.steps(frame, part(name) ?? [], `${key}/${name}`, depth + 1, true)
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error
        failed.value = true
      }
    }
  }
}
