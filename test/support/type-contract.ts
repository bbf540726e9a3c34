import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Host, HostReader } from '../../engine/host/host.ts'
import { localHost } from '../../engine/host/local.ts'
import { schemaCompiler } from '../../engine/load/schemas.ts'
import type { Footprint, Resource, ResourceType, Thing } from '../../engine/resources/type.ts'
import metaparameters from '../../schemas/metaparameters.json' with { type: 'json' }
import { fakeHost } from './fake-host.ts'

/** What the contract reads of a type's schema. */
export interface TypeSchema {
  readonly title: string
  readonly description?: string
  readonly additionalProperties?: unknown
  readonly properties: Readonly<
    Record<
      string,
      {
        readonly description?: string
        readonly examples?: readonly unknown[]
        readonly 'x-invalid'?: readonly unknown[]
      }
    >
  >
  /** Whole resources as they are written: the first key is the type, its value the title. */
  readonly examples?: readonly Readonly<Record<string, unknown>>[]
}

const project = join(import.meta.dirname, '../..')

/**
 * The resources that a schema gives as its examples, in the form in which a probe gets them: templates are
 * rendered by then, and sources are paths on the side of the manifests.
 */
export function exampleResources(schema: TypeSchema): Resource[] {
  return (schema.examples ?? []).flatMap((example) => {
    const [first, ...rest] = Object.entries(example)
    const [type, titles] = first ?? ['', []]
    const attributes = rest.filter(([name]) => !Object.hasOwn(metaparameters.properties, name))
    const { template, source, ...desired } = Object.fromEntries(attributes)
    const given = join(project, desired.recurse ? 'schemas' : 'LICENSE')
    return [titles].flat().map((title) => ({
      ref: `${type}[${String(title)}]`,
      type,
      title: String(title),
      desired: {
        ...desired,
        ...(template !== undefined && { content: 'rendered' }),
        ...(source !== undefined && { source: given }),
      },
    }))
  })
}

/** Everything about a schema that makes it no reference for users, in words. */
export function schemaFaults(name: string, schema: TypeSchema): string[] {
  const faults: string[] = []
  const fault = (what: string) => faults.push(what)
  const compiler = schemaCompiler(new Map([[name, schema]]))
  const whole = compiler.getSchema(`${name}.json`)
  if (whole === undefined) return ['does not compile']
  if (schema.title !== name) fault(`its title is ${schema.title}`)
  if (schema.additionalProperties !== false) fault('lets unknown attributes pass')
  if (!isProse(schema.description)) fault('is not described in sentences')

  for (const [attribute, part] of Object.entries(schema.properties)) {
    const taken = [...Object.keys(metaparameters.properties), 'type', 'title']
    if (taken.includes(attribute)) fault(`${attribute} is a metaparameter's name`)
    if (!isProse(part.description)) fault(`${attribute} is not described in sentences`)
    const accepts = compiler.getSchema(`${name}.json#/properties/${attribute}`)
    const [valid, invalid] = [part.examples ?? [], part['x-invalid'] ?? []]
    if (valid.length === 0) fault(`${attribute} has no examples`)
    if (invalid.length === 0) fault(`${attribute} has no x-invalid`)
    for (const value of valid) {
      if (!accepts?.(value)) fault(`${attribute} refuses its example ${JSON.stringify(value)}`)
    }
    for (const value of invalid) {
      if (accepts?.(value)) fault(`${attribute} takes its x-invalid ${JSON.stringify(value)}`)
    }
  }

  if (!schema.examples?.length) fault('has no examples of whole resources')
  for (const { ref, type, desired } of exampleResources(schema)) {
    if (type !== name) fault(`${ref} is an example of another type`)
    if (!whole(desired)) fault(`${ref} is refused: ${compiler.errorsText(whole.errors)}`)
  }
  return faults
}

function isProse(text: string | undefined): boolean {
  return text !== undefined && /^[A-Z`][\s\S]{20,}[.)]$/.test(text)
}

/** The attributes that the TypeScript of a type names, from the text of its `Desired`. */
export function declaredAttributes(source: string): string[] {
  const [, body = ''] = /interface \w*Desired \{\n([\s\S]*?)\n\}/.exec(source) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name)
}

/** What lies in a server may have any name there. */
const wellFormed =
  /^(path:\/|(user|group|command|unit|package|service):[^\s/]|(postgresql|rabbitmq)_[a-z]+:\S)/

/** Everything about a footprint that breaks the promise of the type, in words. */
export function footprintFaults(type: ResourceType, resource: Resource): string[] {
  const frozen = deepFreeze(structuredClone(resource))
  const footprint = type.footprint(frozen)
  const again = type.footprint(structuredClone(resource))
  const faults =
    JSON.stringify(footprint) === JSON.stringify(again) ? [] : ['differs when asked again']
  const wrong = thingsOf(footprint).filter((thing) => !wellFormed.test(thing))
  return [...faults, ...wrong.map((thing) => `names ${thing}`)]
}

function thingsOf(footprint: Footprint): string[] {
  const { needs = [], after = [], ensures = [], removes = [], provides = [] } = footprint
  return [...needs, ...after, ...ensures, ...removes, ...provides]
}

/**
 * What a probe of the given resources asks of a host that answers nothing: commands, passes over the
 * accounts, and how often each path is read.
 */
export async function questionsOf(
  type: ResourceType,
  resources: readonly Resource[],
): Promise<ReadonlyMap<string, number>> {
  const asked = new Map<string, number>()
  const count = (what: string) => asked.set(what, (asked.get(what) ?? 0) + 1)
  const silent = { timedOut: false, stdout: '', stderr: '', durationMs: 1, exitCode: 0 }
  const host = fakeHost({ files: treeFor(type, resources) })
  const counting: HostReader = {
    ...host,
    accounts: () => {
      count('accounts')
      return host.accounts()
    },
    read: (path) => {
      count(`read ${path}`)
      return host.read(path)
    },
    list: (path) => {
      count(`list ${path}`)
      return host.list(path)
    },
    query: async (argv) => {
      count('query')
      return { argv, ...silent }
    },
    queryShared: async (argv) => {
      count('query')
      return { argv, ...silent }
    },
    // A guard is one resource's own: there is no asking many at once.
    guard: async (argv) => ({ argv, ...silent }),
  }
  await type.probe(resources, counting)
  return asked
}

/** A tree that holds what the footprints of the resources say that they need, edit or remove, and hardly more. */
function treeFor(
  type: ResourceType,
  resources: readonly Resource[],
): Record<string, string | { readonly kind: 'directory' }> {
  const footprints = resources.map((resource) => type.footprint(resource))
  const named = (kind: string, list: readonly Thing[]) =>
    new Set(list.filter((thing) => thing.startsWith(kind)).map((thing) => thing.slice(kind.length)))
  const needs = footprints.flatMap((footprint) => footprint.needs ?? [])
  const removes = footprints.flatMap((footprint) => footprint.removes ?? [])
  const edited = footprints.flatMap(({ edits = [] }) => edits.map(({ path }) => path))
  const users = named('user:', [...needs, ...removes]).difference(new Set(['root']))
  const groups = named('group:', [...needs, ...removes]).difference(new Set(['root']))
  const passwd = [...users].map((name, n) => `${name}:x:${500 + n}:0:,,,:/home/${name}:/bin/sh\n`)
  const group = [...groups].map((name, n) => `${name}:x:${500 + n}:\n`)
  return {
    '/etc/passwd': `root:x:0:0:root:/root:/bin/bash\n${passwd.join('')}`,
    '/etc/group': `root:x:0:\n${group.join('')}`,
    '/var/lib/dpkg/status': '',
    '/proc/self/mountinfo': '',
    ...Object.fromEntries([...named('path:', removes)].map((path) => [path, 'goes\n'])),
    ...Object.fromEntries([...named('path:', needs)].map((path) => [path, { kind: 'directory' }])),
    // Most types that edit a file want it to be there.
    ...Object.fromEntries(edited.map((path) => [path, '# kept\n'])),
  }
}

export interface Convergence {
  readonly first: ReturnType<ResourceType['diff']>
  /** undefined where nothing was applied. */
  readonly second: ReturnType<ResourceType['diff']> | undefined
}

/** Probes a resource in a small tree of its own on this machine, makes the changes, and probes again. */
export async function converge(type: ResourceType, resource: Resource): Promise<Convergence> {
  const root = mkdtempSync(join(tmpdir(), 'steward-contract-'))
  try {
    makeTree(root, type, resource)
    const host: Host = localHost({ root })
    const first = await verdictOn(type, resource, host)
    if (!('changes' in first) || first.changes === undefined) return { first, second: undefined }
    await type.apply(resource, first.changes, host)
    return { first, second: await verdictOn(type, resource, host) }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** Makes what a resource needs on the disk. */
export function makeTree(root: string, type: ResourceType, resource: Resource): void {
  for (const [path, found] of Object.entries(treeFor(type, [resource]))) {
    const isFolder = typeof found !== 'string'
    mkdirSync(isFolder ? join(root, path) : dirname(join(root, path)), { recursive: true })
    if (!isFolder) writeFileSync(join(root, path), found)
  }
}

async function verdictOn(type: ResourceType, resource: Resource, host: HostReader) {
  const [current] = await type.probe([resource], host)
  return type.diff(resource, current)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
