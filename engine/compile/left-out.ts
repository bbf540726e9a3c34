import { isObject, type ResourceDecl } from '../load/manifest.ts'
import type { Declarations } from './declare.ts'
import type { Each, Evaluation, LeftOut } from './evaluation.ts'
import { Signal } from './expr.ts'
import type { Instance, Value } from './instance.ts'
import { refOf } from './metaparameters.ts'

/** Defines may use each other in a circle that only a `when` ends. */
const MAX_DEPTH = 20
const MAX_NAMES = 100_000

/**
 * By reference and by id, what would be declared but for a `when`: of a resource, of a class or of the use of a
 * define that it is in. Takes an evaluation of its own, in which no class is included yet, and includes there what is
 * left out; what can't be told without the values that are missing is not among it.
 */
export function leftOut(
  classes: readonly string[],
  evaluation: Evaluation,
  declarations: Declarations,
): ReadonlyMap<string, LeftOut> {
  const walk = new Walk(evaluation, declarations)
  for (const name of classes) walk.include(name, classes.length === 1, undefined)
  // It grows meanwhile, by what is left out of what was left out.
  for (const [ref, why] of evaluation.absent)
    walk.include(ref.slice('class['.length, -1), false, why)
  return walk.found
}

class Walk {
  readonly found = new Map<string, LeftOut>()
  readonly #evaluation: Evaluation
  readonly #declarations: Declarations
  #entered = 0

  constructor(evaluation: Evaluation, declarations: Declarations) {
    this.#evaluation = evaluation
    this.#declarations = declarations
  }

  include(name: string, isNamed: boolean, why: LeftOut | undefined): void {
    attempt(() => this.#evaluation.include(name, isNamed))
    this.#enter(why, 0)
  }

  /** Goes over the classes that were included since. */
  #enter(why: LeftOut | undefined, depth: number): void {
    const { instances } = this.#evaluation
    while (this.#entered < instances.length)
      this.#instance(instances[this.#entered++] as Instance, why, depth)
  }

  #instance(instance: Instance, why: LeftOut | undefined, depth: number): void {
    if (why) this.#name(instance.ref, why)
    for (const decl of instance.manifest.resources) {
      for (const each of attempt(() => this.#declarations.items(instance, decl)) ?? [])
        for (const title of decl.titles) this.#decl(instance, decl, { each, title }, why, depth)
    }
  }

  #decl(
    instance: Instance,
    decl: ResourceDecl,
    { each, title: rawTitle }: { readonly each: Each | undefined; readonly title: string },
    outer: LeftOut | undefined,
    depth: number,
  ): void {
    if (this.found.size > MAX_NAMES) return
    const at = (key: string) => ({ instance, path: [...decl.path, key], each })
    const { when, id } = decl.meta
    const holds =
      when === undefined || attempt(() => this.#evaluation.condition(when, at('when'))) === true
    const { file } = instance.manifest
    const why = outer ?? (holds ? undefined : { when: String(when), file, path: at('when').path })
    const titles = attempt(() => this.#evaluation.value(rawTitle, at(decl.type)).value)
    for (const title of [titles ?? []].flat()) {
      if (typeof title !== 'string') continue
      if (why) this.#name(refOf(this.#evaluation.library, decl.type, title), why)
      if (decl.type.includes('::')) this.#use(instance, decl, each, title, why, depth + 1)
    }
    const named = id === undefined ? undefined : attempt(() => this.#evaluation.value(id, at('id')))
    if (why && typeof named?.value === 'string') this.#name(named.value, why)
  }

  #use(
    instance: Instance,
    decl: ResourceDecl,
    each: Each | undefined,
    title: string,
    why: LeftOut | undefined,
    depth: number,
  ): void {
    const define = this.#evaluation.library.find(decl.type)
    if (define?.kind !== 'define' || depth > MAX_DEPTH) return
    const { file, defaults } = instance.manifest
    const given: Record<string, Value> = {}
    const written = {
      ...(isObject(defaults[decl.type]) ? defaults[decl.type] : {}),
      ...decl.attributes,
    }
    for (const [key, raw] of Object.entries(written)) {
      const path = [...decl.path, key]
      const value = attempt(() => this.#evaluation.value(raw, { instance, path, each }))
      if (value) given[key] = { ...value, origin: { by: 'with', file, path } }
    }
    const use = attempt(() =>
      this.#evaluation.use(define, title, given, { file, path: decl.path }, instance.containers),
    )
    this.#enter(why, depth)
    if (use) this.#instance(use, why, depth)
  }

  #name(ref: string, why: LeftOut): void {
    if (!this.found.has(ref)) this.found.set(ref, why)
  }
}

/** What is missing or wrong has been told where it counts; here it has no name. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (error instanceof Signal) return undefined
    throw error
  }
}
