import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import type { DueRefresh } from '../due-refreshes.ts'
import type { Host } from '../host/host.ts'
import { putBack } from '../host/keeping.ts'
import { ApplyError, type ResourceType } from '../resources/type.ts'
import type { Intents } from './intents.ts'
import type { Keeper } from './keeper.ts'
import type { Refreshes } from './refreshes.ts'

export interface PutBack {
  readonly paths: readonly string[]
  /** The resources whose doing was taken back. */
  readonly sources: readonly string[]
  readonly failed: ReadonlyMap<string, string>
}

/** Takes changes of files back, where what reads them fails with them. */
export class PutBacks {
  readonly #catalog: Catalog
  readonly #keeper: Keeper
  readonly #host: Host
  readonly #refreshes: Refreshes
  readonly #intents: Intents

  constructor(input: {
    readonly catalog: Catalog
    readonly keeper: Keeper
    readonly host: Host
    readonly refreshes: Refreshes
    readonly intents: Intents
  }) {
    this.#catalog = input.catalog
    this.#keeper = input.keeper
    this.#host = input.host
    this.#refreshes = input.refreshes
    this.#intents = input.intents
  }

  /** Makes the files whose change asked for a refresh what they were before the run. */
  filesOf(type: ResourceType, { ref }: CatalogResource, { from }: DueRefresh): PutBack {
    const kept = type.recover ? this.#keeper.keptOf(from) : []
    const sources = [...new Set(kept.map((was) => was.ref))]
    if (sources.length === 0) return { paths: [], sources, failed: new Map() }
    // Who has read the new ones has to read again.
    this.#keeper.intend(
      this.#catalog.resources
        .filter((source) => sources.includes(source.ref))
        .map((source) => ({
          ref: source.ref,
          action: 'check',
          listeners: this.#refreshes.listeners(source.index).filter((other) => other.ref !== ref),
        })),
    )
    const failed = putBack(this.#host, kept)
    const paths = [...new Set(kept.map(({ path }) => path))].filter((path) => !failed.has(path))
    for (const path of paths) this.#keeper.wroteBack(path)
    this.#intents.settle()
    return { paths, sources, failed }
  }

  /** The failure of a start, where files were changed for one that did not run before: there is no better state of them. */
  notFor(type: ResourceType, error: unknown, due: DueRefresh | undefined): unknown {
    const kept = due && type.recover ? this.#keeper.keptOf(due.from) : []
    if (kept.length === 0 || !(error instanceof ApplyError)) return error
    const paths = [...new Set(kept.map(({ path }) => path))].join(', ')
    const why = `it did not run before this run either, so what it reads is not put back: ${paths}`
    return withMore(error, why, error.help)
  }

  /** The failure of a refresh, with what became of the resource once the files were back. */
  async recovered(
    type: ResourceType,
    resource: CatalogResource,
    error: unknown,
    { paths, sources, failed }: PutBack,
  ): Promise<unknown> {
    if (sources.length === 0 || !type.recover) return error
    const left = [...failed]
      .map(([path, why]) => `; ${path} could not be put back: ${why}`)
      .join('')
    let after: string
    try {
      const { isAnew } = await type.recover(resource, this.#host)
      if (isAnew) this.#keeper.paid(resource.ref)
      else this.#keeper.tookBack(resource.ref, sources)
      after = 'what it reads is as it was before, and it runs with that'
    } catch (again) {
      const why = again instanceof Error ? again.message : String(again)
      after = `what it reads is as it was before, and it fails with that too: ${why}`
    }
    if (!(error instanceof ApplyError)) return error
    const help = `mend what is named here, or what the manifests or zulip.conf make of ${paths.join(', ')}, and apply again`
    return withMore(error, `${after}${left}`, help)
  }
}

function withMore(error: ApplyError, more: string, help: string | undefined): ApplyError {
  const { message, ran, found } = error
  return new ApplyError(`${message}; ${more}`, {
    ...(help === undefined ? {} : { help }),
    ...(ran ? { ran } : {}),
    ...(found === undefined ? {} : { found }),
    cause: error,
  })
}
