import { hash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Catalog, CatalogResource } from '../../engine/compile/catalog.ts'
import { tripWith } from '../apply/trip.ts'

/** Types that a folder can hold: nothing of theirs is run. */
const FILES = ['file', 'file_line', 'block_in_file', 'ini_setting', 'cron', 'apt_repository']

/** The part of a catalog that a root can hold, really applied into fresh roots in any order. */
export class Rooted {
  readonly #whole: Catalog
  /** Indexes in the whole catalog. */
  readonly #members: readonly number[]
  /** What a run in the order of the catalog leaves. */
  #expected: string | undefined

  constructor(catalog: Catalog) {
    this.#whole = catalog
    this.#members = catalog.resources.flatMap(({ index, type }) =>
      FILES.includes(type) ? [index] : [],
    )
  }

  /** Whether an edge lies between two resources that the root holds. */
  holds({ from, to }: { readonly from: number; readonly to: number }): boolean {
    return this.#members.includes(from) && this.#members.includes(to)
  }

  /** What an order leaves that the order of the catalog does not; undefined where both leave the same. */
  async breaks(mutant: Catalog, order: readonly number[]): Promise<string | undefined> {
    this.#expected ??= await this.#applied(this.#whole, this.#whole.order)
    const found = await this.#applied(mutant, order)
    if (found === this.#expected) return undefined
    const expected = new Set(this.#expected.split('\n'))
    return found.split('\n').find((line) => !expected.has(line)) ?? 'something is missing'
  }

  async #applied(catalog: Catalog, order: readonly number[]): Promise<string> {
    const base = mkdtempSync(join(tmpdir(), 'steward-proof-'))
    const place = { root: join(base, 'root'), state: join(base, 'state') }
    try {
      this.#prepare(place.root)
      // An order that the whole catalog does not allow may come otherwise than planned.
      const { events } = await tripWith(place, this.#part(catalog, order), { surprises: 'any' })
      const failed = events.flatMap((event) =>
        event.type === 'resource_finished' && event.outcome === 'failed'
          ? [`${event.ref} failed: ${event.error?.message}`]
          : [],
      )
      return [...failed.sort(), ...listing(place.root, '')].join('\n')
    } finally {
      rmSync(base, { recursive: true, force: true })
    }
  }

  /** The members alone, numbered anew. */
  #part(catalog: Catalog, order: readonly number[]): Catalog {
    const number = new Map(this.#members.map((index, at) => [index, at]))
    const edges = catalog.edges.flatMap((edge) => {
      const [from, to] = [number.get(edge.from), number.get(edge.to)]
      return from === undefined || to === undefined ? [] : [{ ...edge, from, to }]
    })
    const resources = this.#members.map((index, at) => ({
      ...(catalog.resources[index] as CatalogResource),
      index: at,
    }))
    return {
      ...catalog,
      resources,
      edges,
      dropped: [],
      order: order.flatMap((index) => number.get(index) ?? []),
      batches: new Int32Array(resources.length).fill(-1),
    }
  }

  /** Accounts, and folders that something else than a member brings, such as a package. */
  #prepare(root: string): void {
    const members = this.#members.map((index) => this.#whole.resources[index] as CatalogResource)
    const needs = new Set(members.flatMap(({ footprint }) => footprint.needs ?? []))
    const own = new Set(members.flatMap(({ footprint }) => footprint.ensures ?? []))
    const brought = new Set(
      this.#whole.resources.flatMap(({ type, footprint }) =>
        FILES.includes(type) ? [] : [...(footprint.ensures ?? []), ...(footprint.provides ?? [])],
      ),
    )
    const named = (kind: string) =>
      [...needs].flatMap((thing) => (thing.startsWith(kind) ? [thing.slice(kind.length)] : []))
    for (const path of ['/etc', '/var', '/srv', '/home', '/usr/local/bin', ...named('path:')])
      if (!own.has(`path:${path}`) || brought.has(`path:${path}`))
        mkdirSync(join(root, path), { recursive: true })
    const numbered = (names: readonly string[], line: (name: string, id: number) => string) =>
      names.map((name, at) => line(name, name === 'root' ? 0 : 2000 + at)).join('')
    const users = [...new Set(['root', ...named('user:')])].sort()
    const groups = [...new Set(['root', ...named('group:')])].sort()
    writeFileSync(
      join(root, 'etc/passwd'),
      numbered(users, (name, id) => `${name}:x:${id}:${id}::/:/bin/sh\n`),
    )
    writeFileSync(
      join(root, 'etc/group'),
      numbered(groups, (name, id) => `${name}:x:${id}:\n`),
    )
  }
}

/** A line for all that lies in a folder: kind, mode, owner and what is in it. */
function listing(root: string, below: string): string[] {
  return readdirSync(join(root, below))
    .sort()
    .flatMap((name) => {
      const path = join(below, name)
      const stat = lstatSync(join(root, path))
      const kept = `${stat.mode.toString(8)} ${stat.uid}:${stat.gid}`
      if (stat.isSymbolicLink()) return [`/${path} → ${readlinkSync(join(root, path))}`]
      if (stat.isDirectory()) return [`/${path}/ ${kept}`, ...listing(root, path)]
      // Settings of one file may come in any order.
      const lines = readFileSync(join(root, path), 'latin1').split('\n').sort().join('\n')
      return [`/${path} ${kept} ${hash('sha256', lines)}`]
    })
}
