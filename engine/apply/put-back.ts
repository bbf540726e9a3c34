import type { Catalog, CatalogResource } from '../compile/catalog.ts'
import type { Host } from '../host/host.ts'
import { putBack } from '../host/keeping.ts'
import { ApplyError, type RefreshKind, type ResourceType } from '../resources/type.ts'
import type { Intents } from './intents.ts'
import type { Keeper } from './keeper.ts'
import type { Refreshes } from './refreshes.ts'

export interface PutBack {
  readonly paths: readonly string[]
  /** The resources whose doing was taken back. */
  readonly sources: readonly CatalogResource[]
  readonly failed: ReadonlyMap<string, string>
}

/** Takes changes of files back, where what reads them fails with them. */
export class PutBacks {
  readonly #catalog: Catalog
  readonly #types: ReadonlyMap<string, ResourceType>
  readonly #keeper: Keeper
  readonly #host: Host
  readonly #refreshes: Refreshes
  readonly #intents: Intents

  constructor(input: {
    readonly catalog: Catalog
    readonly types: ReadonlyMap<string, ResourceType>
    readonly keeper: Keeper
    readonly host: Host
    readonly refreshes: Refreshes
    readonly intents: Intents
  }) {
    this.#catalog = input.catalog
    this.#types = input.types
    this.#keeper = input.keeper
    this.#host = input.host
    this.#refreshes = input.refreshes
    this.#intents = input.intents
  }

  /** Makes the files that these resources changed, and that another does not run with, what they were before the run. */
  filesOf(type: ResourceType, { ref }: CatalogResource, from: readonly string[]): PutBack {
    const kept = type.recover ? this.#keeper.keptOf(from) : []
    const refs = new Set(kept.map((was) => was.ref))
    const sources = this.#catalog.resources.filter((source) => refs.has(source.ref))
    if (sources.length === 0) return { paths: [], sources, failed: new Map() }
    // Who has read the new ones has to read again.
    this.#keeper.intend(
      sources.map((source) => ({
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
  notFor(type: ResourceType, error: unknown, from: readonly string[]): unknown {
    const kept = type.recover ? this.#keeper.keptOf(from) : []
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
    { by, back }: { readonly by: RefreshKind; readonly back: PutBack },
  ): Promise<unknown> {
    const { paths, failed } = back
    const sources = back.sources.map(({ ref }) => ref)
    const madeAt = Number(process.hrtime.bigint() / 1000n)
    if (sources.length === 0 || !type.recover) return error
    const left = [...failed]
      .map(([path, why]) => `; ${path} could not be put back: ${why}`)
      .join('')
    const [what, those] =
      failed.size === 0
        ? ['what it reads is as it was before', 'that']
        : ['not all that it reads is as it was before', 'what is there now']
    let after: string
    try {
      const isUntouched = error instanceof ApplyError && error.isUntouched
      if (!isUntouched) await this.#tellCarrier(resource, sources)
      const { isAnew } = isUntouched
        ? { isAnew: false }
        : await type.recover(resource, by, this.#host, madeAt)
      if (isAnew) this.#keeper.paid(resource.ref)
      else if (failed.size === 0) this.#keeper.tookBack(resource.ref, sources)
      after = `${what}, and it runs with ${those}`
    } catch (again) {
      const why = again instanceof Error ? again.message : String(again)
      after = `${what}, and it fails with ${those} too: ${why}`
    }
    if (!(error instanceof ApplyError)) return error
    const help = `mend what is named here, or what the manifests or zulip.conf make of ${paths.join(', ')}, and apply again`
    return withMore(error, `${after}${left}`, help)
  }

  /** What the resource runs under has read the files that are gone, and has to read those that are back. */
  async #tellCarrier({ index }: CatalogResource, sources: readonly string[]): Promise<void> {
    const told = this.#refreshes.carrierOf(index, sources)
    if (!told) return
    await this.#types.get(told.carrier.type)?.refresh?.(told.carrier, told.by, this.#host)
    this.#keeper.paid(told.carrier.ref)
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
