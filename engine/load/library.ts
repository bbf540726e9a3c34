import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Diagnostic, Refusal } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import type { Manifest } from './manifest.ts'
import { readManifest } from './read-manifest.ts'
import type { Sources } from './sources.ts'

/** A folder with manifests, and where its templates and files lie. */
export interface ManifestFolder {
  readonly manifests: string
  readonly templates: string
  readonly files: string
}

/** Parsed manifests that were kept from earlier: by bundle or by content. */
export interface ManifestCache {
  /** `text` is called only where the content must be known to tell. */
  get(file: string, text: () => string): Manifest | undefined
  put(file: string, text: string, manifest: Manifest): void
}

/** A folder as given with `--manifests`: templates and files lie in it. Refuses what is no folder. */
export function siteFolder(folder: string): ManifestFolder {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Refusal({
      severity: 'error',
      code: 'usage',
      message: `${folder} is no folder of manifests`,
      found: existsSync(folder) ? 'a file' : 'nothing there',
      help: 'give the folder in which the manifests lie: --manifests DIR',
    })
  }
  return { manifests: folder, templates: join(folder, 'templates'), files: join(folder, 'files') }
}

const NAME = /^[a-z][a-z0-9_]*(::[a-z][a-z0-9_]*)*$/

/** Classes, defines, templates and files by name: the first folder that has one wins. */
export class Library {
  readonly folders: readonly ManifestFolder[]
  readonly sources: Sources
  readonly #types: ReadonlySet<string>
  readonly #cache: ManifestCache | undefined
  readonly #manifests = new Map<string, Manifest | undefined>()
  readonly #paths = new Map<string, string | undefined>()
  readonly #bad = new Set<string>()
  readonly #rests = new Map<string, Manifest>()
  readonly #diagnostics: Diagnostic[] = []

  constructor(options: {
    folders: readonly ManifestFolder[]
    types: Iterable<string>
    sources: Sources
    cache?: ManifestCache
  }) {
    this.folders = options.folders
    this.sources = options.sources
    this.#types = new Set(options.types)
    this.#cache = options.cache
  }

  /** What was found wrong in the manifests that were read so far. */
  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics
  }

  /** Whether the manifest of this name was read and is at fault, so that its absence needs no further word. */
  isBad(name: string): boolean {
    return this.#bad.has(name)
  }

  /** What can be told of a manifest that is at fault: its expressions are checked, and nothing else is done with it. */
  restOf(name: string): Manifest | undefined {
    return this.#rests.get(name)
  }

  /** The class or define of this name, aliases followed; undefined where there is none or it is at fault. */
  find(name: string): Manifest | undefined {
    const seen = new Set<string>()
    let current = this.read(name)
    while (current?.aliasOf !== undefined) {
      if (seen.has(current.name)) {
        this.#diagnostics.push({
          severity: 'error',
          code: 'alias',
          message: `the alias ${name} leads to itself`,
          place: this.sources.place(current.file, ['alias_of']),
        })
        this.#bad.add(name)
        return undefined
      }
      seen.add(current.name)
      const next = this.read(current.aliasOf)
      if (!next && !this.isBad(current.aliasOf)) {
        const help = this.nearest(current.aliasOf)
        this.#diagnostics.push({
          severity: 'error',
          code: 'unknown-class',
          message: `${current.name} stands for ${current.aliasOf}, which does not exist`,
          place: this.sources.place(current.file, ['alias_of']),
          ...(help ? { help } : {}),
        })
      }
      if (!next) this.#bad.add(name)
      current = next
    }
    return current
  }

  /** The manifest of this very name, an alias as itself. */
  read(name: string): Manifest | undefined {
    if (this.#manifests.has(name)) return this.#manifests.get(name)
    const manifest = this.#load(name)
    this.#manifests.set(name, manifest)
    return manifest
  }

  /** The names of the manifests that were asked for until now. */
  readSoFar(): string[] {
    return [...this.#manifests.keys()]
  }

  /** `did you mean` among all names that exist. */
  nearest(name: string): string | undefined {
    return didYouMean(name, this.names())
  }

  /** Every class and define, by name, sorted; of the folders for which `isMeant` holds. */
  names(isMeant: (folder: ManifestFolder) => boolean = () => true): string[] {
    const names = new Set<string>()
    for (const folder of this.folders) {
      if (!isMeant(folder)) continue
      for (const file of yamlFiles(folder.manifests)) {
        const name = nameOf(file)
        if (name !== undefined) names.add(name)
      }
    }
    return [...names].sort()
  }

  /** Warnings of files that look like manifests but that no name leads to. */
  strays(isMeant: (folder: ManifestFolder) => boolean): Diagnostic[] {
    return this.folders.filter(isMeant).flatMap(({ manifests }) =>
      yamlFiles(manifests)
        .filter((file) => nameOf(file) === undefined)
        .map((file) => ({
          severity: 'warning' as const,
          code: 'class-file-name' as const,
          message: `${this.sources.shown(join(manifests, file))} is passed over: no class can have its name`,
          expected: 'NAME.yaml, with a name of a-z, 0-9 and _ that begins with a letter',
          help: `name file and class anew, such as ${file
            .replace(/\.yml$/, '.yaml')
            .toLowerCase()
            .replaceAll(/[^a-z0-9_/.]/g, '_')}`,
        })),
    )
  }

  /**
   * The path of a template or file, from the first folder that has it; an absolute name is a path of its own.
   */
  path(kind: 'templates' | 'files', name: string): string | undefined {
    if (name.startsWith('/')) return name
    const key = `${kind} ${name}`
    if (!this.#paths.has(key)) {
      const inside = !name.split('/').includes('..')
      const found = inside
        ? this.folders.map((folder) => join(folder[kind], name)).find((path) => existsSync(path))
        : undefined
      this.#paths.set(key, found)
    }
    return this.#paths.get(key)
  }

  /** `did you mean` among the templates or files that exist. */
  nearestPath(kind: 'templates' | 'files', name: string): string | undefined {
    const names = this.folders.flatMap((folder) =>
      existsSync(folder[kind])
        ? readdirSync(folder[kind], { recursive: true, encoding: 'utf8' })
        : [],
    )
    return didYouMean(name, names)
  }

  #load(name: string): Manifest | undefined {
    if (!NAME.test(name)) return undefined
    const relative = `${name.replaceAll('::', '/')}.yaml`
    for (const folder of this.folders) {
      const file = join(folder.manifests, relative)
      if (!existsSync(file)) continue
      const kept = this.#cache?.get(file, () => this.sources.text(file))
      if (kept) return kept
      return this.#parse(file, name)
    }
    return undefined
  }

  #parse(file: string, name: string): Manifest | undefined {
    let text: string
    try {
      text = this.sources.text(file)
    } catch (error) {
      this.#bad.add(name)
      this.#diagnostics.push({
        severity: 'error',
        code: 'not-found',
        message: `${this.sources.shown(file)} can't be read: ${(error as Error).message}`,
      })
      return undefined
    }
    const { manifest, rest, diagnostics } = readManifest(text, file, this.#types, this.sources)
    if (manifest && manifest.name !== name) {
      this.#bad.add(name)
      this.#diagnostics.push({
        severity: 'error',
        code: 'class-file-name',
        message: `this file holds ${manifest.name}, and its name says ${name}`,
        place: this.sources.place(file, [manifest.kind]),
        help: `move it to ${manifest.name.replaceAll('::', '/')}.yaml, or write: ${manifest.kind}: ${name}`,
      })
      return undefined
    }
    if (!manifest) {
      this.#bad.add(name)
      if (rest) this.#rests.set(name, rest)
      this.#diagnostics.push(...diagnostics)
      return undefined
    }
    this.#cache?.put(file, text, manifest)
    return manifest
  }
}

/** The name of the class that a file holds, by its path below the folder; undefined where that is no name. */
function nameOf(file: string): string | undefined {
  const name = file.replace(/\.yaml$/, '').replaceAll('/', '::')
  return NAME.test(name) ? name : undefined
}

/** YAML files below a folder, as relative paths, but for hidden ones and those of its templates and files. */
function yamlFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ya?ml$/.test(file) && !/^(templates|files)\/|(^|\/)\./.test(file))
    .sort()
}
