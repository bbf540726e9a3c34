import { isObject } from '../load/manifest.ts'
import type { Path } from '../load/yaml.ts'
import type { ValueRead, ValueSource } from './catalog.ts'
import type { Evaluation, Spot } from './evaluation.ts'
import { Failed, type Instance, type Origin } from './instance.ts'
import { plainData } from './plain-data.ts'
import type { Template } from './template.ts'

/** How a value that stands at a spot came to be. Asked after it was evaluated. */
export function valueSource(evaluation: Evaluation, spot: Spot, raw: unknown): ValueSource {
  const { texts, reads } = readsOf(evaluation, spot, raw)
  return {
    file: spot.instance.manifest.file,
    path: spot.path,
    ...(texts.length > 0 ? { text: texts.join(' ') } : {}),
    reads,
  }
}

/** The same of a file's body that a template made; the spot is where the template is named. */
export function templateSource(
  evaluation: Evaluation,
  spot: Spot,
  template: Template,
): ValueSource {
  return {
    file: spot.instance.manifest.file,
    path: spot.path,
    template: template.file,
    reads: template.reads.map(({ name }) => explainRead(evaluation, spot, name)),
  }
}

/** The parameters of a class or of the use of a define, each with its value and where that came from. */
export function parameterReads(evaluation: Evaluation, instance: Instance): readonly ValueRead[] {
  return Object.keys(instance.manifest.parameters).map((name) => {
    try {
      return explainRead(evaluation, { instance, path: [] }, name)
    } catch (error) {
      // What is wrong with it is told where it is read, and nowhere where it is not.
      if (!(error instanceof Failed)) throw error
      return { name, value: 'no value', origin: 'it can not be worked out' }
    }
  })
}

function readsOf(evaluation: Evaluation, spot: Spot, raw: unknown) {
  const { instance, each } = spot
  const names = each ? instance.scope.eachNames : instance.scope.names
  const texts: string[] = []
  const reads = new Map<string, ValueRead>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    else if (isObject(value)) Object.values(value).forEach(visit)
    else if (typeof value === 'string') {
      const parsed = evaluation.scopes.text(value)
      if (!parsed || 'message' in parsed) return
      texts.push(value)
      for (const part of parsed.parts) {
        if (typeof part === 'string') continue
        for (const name of names.compile(part.expression).reads)
          reads.set(name, explainRead(evaluation, spot, name))
      }
    }
  }
  visit(raw)
  return { texts, reads: [...reads.values()] }
}

function explainRead(evaluation: Evaluation, spot: Spot, name: string): ValueRead {
  const { instance, each } = spot
  const [root = '', member] = name.split('.')
  const shown = (value: unknown) =>
    evaluation.isSecret(name, spot) ? '(secret)' : (JSON.stringify(plainData(value)) ?? 'no value')
  if (root === 'each')
    return {
      name,
      value: shown(member === 'key' ? each?.key : each?.value),
      origin: 'an item of for_each',
    }
  if (root === 'facts')
    return {
      name,
      value: shown(evaluation.data.facts[member ?? '']),
      origin: 'a fact of the host',
    }
  if (root === 'title') return { name, value: shown(instance.names.title), origin: 'the title' }
  const alias = instance.aliases.get(root)
  const owner = alias ?? instance
  const key = alias ? (member ?? '') : root
  const value = owner.has(key) ? owner.peek(key) : undefined
  if (!value) return { name, value: 'no value', origin: `${owner.ref} has none` }
  const made = madeFrom(evaluation, value.origin, owner, key)
  return {
    name,
    value: shown(value.value),
    origin: originText(evaluation, value.origin, owner, key),
    ...(made && made.texts.length > 0 ? { text: made.texts.join(' ') } : {}),
    ...(made && made.reads.length > 0 ? { reads: made.reads } : {}),
  }
}

/**
 * A named value and a default may be made from others in turn; such a chain
 * ends, for a circle of values is an error.
 */
function madeFrom(evaluation: Evaluation, origin: Origin, owner: Instance, key: string) {
  if (origin.by !== 'let' && origin.by !== 'default') return undefined
  const { manifest } = owner
  const raw = origin.by === 'let' ? manifest.let[key] : manifest.parameters[key]?.default
  return readsOf(evaluation, { instance: owner, path: origin.path }, raw)
}

function originText({ library }: Evaluation, origin: Origin, owner: Instance, key: string): string {
  const at = (file: string, path: Path) => {
    const place = library.sources.place(file, path)
    return `${place.file}:${place.line}`
  }
  switch (origin.by) {
    case 'command line':
      return `--with ${key}=… on the command line`
    case 'site file':
      return origin.place
        ? `the site file, ${origin.place.file}:${origin.place.line}`
        : 'the site file'
    case 'with':
      return `given at ${at(origin.file, origin.path)}`
    case 'zulip.conf':
      return origin.place
        ? `${origin.setting} at ${origin.place.file}:${origin.place.line}`
        : `${origin.setting} in zulip.conf`
    case 'secret':
      return `the secret ${origin.name}`
    case 'generated':
      return `made in this run, for there is no secret ${origin.name} yet`
    case 'default':
      return `the default of ${owner.manifest.name}, ${at(origin.file, origin.path)}`
    case 'let':
      return `a named value, ${at(origin.file, origin.path)}`
    case 'unset':
      return 'unset'
  }
}
