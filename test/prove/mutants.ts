import type { Catalog } from '../../engine/compile/catalog.ts'
import { edgeReason } from '../../engine/compile/edge-reason.ts'
import { Library } from '../../engine/load/library.ts'
import { isObject, type Manifest, type ResourceDecl } from '../../engine/load/manifest.ts'
import { Sources } from '../../engine/load/sources.ts'
import { prove } from '../../engine/prove/prove.ts'
import { types } from '../../engine/resources/index.ts'
import { type Case, catalogOf } from '../manifests/catalog.ts'
import { conf, library, secrets, ten } from '../manifests/every-class.ts'
import { Rooted } from './rooted.ts'
import { Simulation, seeded } from './simulation.ts'

/** A catalog from which one thing that orders it was taken away. */
export interface Mutant {
  /** What was taken: an edge of the catalog, or a word of a manifest. */
  readonly kind: 'edge' | 'word'
  readonly title: string
  readonly catalog: () => Catalog
}

const voyager: Case = {
  conf,
  secrets,
  classes: ['zulip::voyager'],
  ...({ facts: { release: ten } } as Case),
}

/** The catalog that is mutated: a whole server. */
export const whole = catalogOf(voyager)

const rooted = new Rooted(whole)
const SEED = 20_260_301

/** Every edge of the catalog, whatever it was made from. */
function withoutEdges(): Mutant[] {
  return whole.edges.map((edge, index) => {
    const [from, to] = [edge.from, edge.to].map((at) => whole.resources[at] ?? { ref: '' }) as [
      { ref: string },
      { ref: string },
    ]
    return {
      kind: 'edge',
      title: `${from.ref} → ${to.ref} (${edgeReason(edge, from, to)})`,
      catalog: () => ({ ...whole, edges: whole.edges.filter((_, other) => other !== index) }),
    }
  })
}

const relations = ['before', 'require', 'notify', 'subscribe', 'needs', 'provides'] as const
const attributes = ['restart_on', 'reload_on'] as const

/** Every relation, need, provided thing and read file that stands in a manifest, item by item. */
function withoutWords(): Mutant[] {
  const containers = whole.resources.flatMap((resource) => resource.containers)
  const names = new Set(containers.map((name) => name.replace(/^[^[]*\[([^\]]*)\]$/, '$1')))
  const files = new Set(whole.resources.map(({ file }) => file))
  return library.names().flatMap((name) => {
    const manifest = library.read(name)
    if (!manifest || !(names.has(name) || files.has(manifest.file))) return []
    return manifest.resources.flatMap((declared, index) =>
      withoutOne(declared).map(({ what, left }) => ({
        kind: 'word' as const,
        title: `${name}: ${declared.type} ${declared.titles.join(', ')} without ${what}`,
        catalog: () => compiled({ ...manifest, resources: manifest.resources.with(index, left) }),
      })),
    )
  })
}

function withoutOne(declared: ResourceDecl): { what: string; left: ResourceDecl }[] {
  const { meta, attributes: given } = declared
  return [
    ...relations.flatMap((word) =>
      lessOne(meta[word]).map(({ what, left }) => ({
        what: `${word} ${what}`,
        left: { ...declared, meta: { ...meta, [word]: left } },
      })),
    ),
    ...attributes.flatMap((word) =>
      lessOne(given[word]).map(({ what, left }) => ({
        what: `${word} ${what}`,
        left: { ...declared, attributes: { ...given, [word]: left } },
      })),
    ),
  ]
}

/** All that a value is when one of its innermost items is gone. */
function lessOne(value: unknown): { what: string; left: unknown }[] {
  if (value === undefined) return []
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) =>
      isObject(item)
        ? lessOne(item).map(({ what, left }) => ({ what, left: value.with(index, left) }))
        : [{ what: JSON.stringify(item), left: value.toSpliced(index, 1) }],
    )
  }
  if (isObject(value)) {
    return Object.entries(value).flatMap(([key, item]) =>
      (Array.isArray(item) ? lessOne(item) : [{ what: JSON.stringify(item), left: [] }]).map(
        (less) => ({
          what: `${key} ${less.what}`,
          left: { ...value, [key]: less.left },
        }),
      ),
    )
  }
  return [{ what: JSON.stringify(value), left: [] }]
}

/** The same with another manifest in place of one. */
function compiled(manifest: Manifest): Catalog {
  return catalogOf({ ...voyager, library: new Changed(manifest) })
}

class Changed extends Library {
  readonly #manifest: Manifest

  constructor(manifest: Manifest) {
    super({ folders: library.folders, types: types.keys(), sources: library.sources })
    this.#manifest = manifest
  }

  override read(name: string): Manifest | undefined {
    return name === this.#manifest.name ? this.#manifest : library.read(name)
  }
}

export interface Counts {
  readonly mutants: number
  /** Mutants that some order shows to matter. */
  readonly matter: number
  /** Those of them in which `prove` finds something. */
  readonly found: number
  /** Those that show no harm, and in which `prove` finds something all the same. */
  readonly beyond: number
  /** What goes wrong in each that is missed. */
  readonly missed: readonly string[]
}

export const mutants: readonly Mutant[] = [...withoutEdges(), ...withoutWords()]

/** What `prove` does not find, of all mutants that matter; the long series says of how many, and that none is found by now. */
export const knownMisses = [
  'zulip::app_frontend_base: supervisor_program zulip-workers without restart_on',
  'zulip::app_frontend_base: file /etc/logrotate.d/zulip without needs users',
  'zulip::nginx: file /etc/logrotate.d/nginx without needs users',
  'zulip::nginx: service nginx without reload_on "/var/log/nginx"',
  'zulip::program_file: file ${{ common.programs }}/${{ title }}.conf without needs directories',
  'zulip::supervisor: file ${{ configuration }} without needs users',
]

export function isKnownMiss(harm: string): boolean {
  return knownMisses.some((known) => harm.startsWith(known))
}

/** Edges whose ends a root can hold. */
export const rootedEdges = whole.edges.filter((edge) => rooted.holds(edge))

/** Really applies the catalog without each of these edges, in two orders each. */
export async function triedInRoot(edges: Catalog['edges']): Promise<Counts> {
  const simulation = new Simulation(whole, seeded(SEED))
  const missed: string[] = []
  let [matter, found, beyond] = [0, 0, 0]
  for (const edge of edges) {
    const mutant = { ...whole, edges: whole.edges.filter((each) => each !== edge) }
    let harm: string | undefined
    for (const order of simulation.orders(mutant).take(2))
      harm ??= await rooted.breaks(mutant, order)
    const isFound = prove(mutant, new Sources()).findings.length > 0
    if (harm === undefined) {
      if (isFound) beyond++
      continue
    }
    matter++
    if (isFound) found++
    else missed.push(harm)
  }
  return { mutants: edges.length, matter, found, beyond, missed }
}

/** Applies mutants in shuffled orders, by footprints alone, proves them, and counts. */
export function tried(some: readonly Mutant[]): Counts {
  const simulation = new Simulation(whole, seeded(SEED))
  const sources = new Sources()
  const missed: string[] = []
  let [matter, found, beyond] = [0, 0, 0]
  for (const { title, catalog } of some) {
    const mutant = catalog()
    const harm = simulation.breaks(mutant)
    const isFound = prove(mutant, sources).findings.length > 0
    if (harm === undefined) {
      if (isFound) beyond++
      continue
    }
    matter++
    if (isFound) found++
    else missed.push(`${title}: ${harm}`)
  }
  return { mutants: some.length, matter, found, beyond, missed }
}
