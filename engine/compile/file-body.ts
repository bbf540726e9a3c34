import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import type { ResourceDecl } from '../load/manifest.ts'
import type { Path } from '../load/yaml.ts'
import type { ValueSource } from './catalog.ts'
import type { Each, Evaluation } from './evaluation.ts'
import { Failed, type Instance } from './instance.ts'
import { loadTemplate, type Template } from './template.ts'
import { TemplateError } from './template-error.ts'
import { templateSource } from './value-source.ts'

/** The resource that a body is for, as far as it is told by then. */
export interface Unfinished {
  readonly ref: string
  readonly instance: Instance
  readonly decl: ResourceDecl
  readonly each: Each | undefined
  /** Attributes that hold a secret, to which the content is added where the template reads one. */
  readonly sensitive: string[]
  /** Where attributes come from, to which the content is added; absent where nobody asks. */
  readonly sources: Map<string, ValueSource> | undefined
}

/** A template with what it reads. */
interface Reading {
  readonly values: Record<string, unknown>
  readonly write: () => string
}

/**
 * What a template comes to for one file: rendered anew whenever it is asked for, as what
 * it reads has settled by then and ten thousand bodies take much room.
 */
export class RenderedText {
  readonly #write: () => string
  readonly #values: Record<string, unknown>
  readonly #each: Each | undefined

  constructor({ write, values }: Reading, each: Each | undefined) {
    this.#write = write
    this.#values = values
    this.#each = each
  }

  /** Throws `TemplateError`. */
  toString(): string {
    // The other items of the `for_each` share the values.
    if (this.#each) this.#values.each = this.#each
    return this.#write()
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Where the bodies of files come from: templates, each loaded once, and sources. */
export class FileBodies {
  readonly #evaluation: Evaluation
  readonly #diagnostics: Diagnostic[]
  readonly #templates = new Map<string, Template | undefined>()
  /** The same by the name that manifests give them, without those that can't be used. */
  readonly #named = new Map<string, Template>()
  /** The last that was made for an item of a `for_each`. */
  #last:
    | { readonly instance: Instance; readonly template: Template; readonly reading: Reading }
    | undefined

  /** What is found wrong is added to the diagnostics. */
  constructor(evaluation: Evaluation, diagnostics: Diagnostic[]) {
    this.#evaluation = evaluation
    this.#diagnostics = diagnostics
  }

  /** The path of a source. Throws `Failed`. */
  source(
    name: string,
    { ref, instance, decl }: Pick<Unfinished, 'ref' | 'instance' | 'decl'>,
  ): string {
    const { library } = this.#evaluation
    const path = library.path('files', name)
    if (path !== undefined) return path
    this.#missing(instance, [...decl.path, 'source'], {
      code: 'source-missing',
      message: `${ref} has no source: there is no file "${name}"`,
      expected: `it under one of: ${library.folders.map((folder) => library.sources.shown(folder.files)).join(', ')}`,
      help: library.nearestPath('files', name),
    })
  }

  /** What a template comes to, now and whenever it is asked for later. Throws `Failed`. */
  content(
    name: string,
    resource: Unfinished,
  ): { readonly text: string; readonly late: RenderedText } {
    const { ref, instance, decl, each, sensitive, sources } = resource
    const at =
      'template' in decl.attributes
        ? [...decl.path, 'template']
        : ['defaults', decl.type, 'template']
    const template = this.#named.get(name) ?? this.#find(name, resource, at)
    let late: RenderedText
    let text: string
    try {
      late = new RenderedText(this.#reading(template, resource), each)
      text = late.toString()
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      this.#tell(error, template.file, ref)
      throw new Failed()
    }
    if (template.reads.some(({ name }) => this.#evaluation.isSecret(name, resource)))
      sensitive.push('content')
    if (sources) {
      const spot = { instance, path: at, each }
      sources.delete('template')
      sources.set('content', templateSource(this.#evaluation, spot, template))
    }
    return { text, late }
  }

  /** What a template reads: made once for all items of a `for_each`, in which only the item differs. */
  #reading(template: Template, resource: Unfinished): Reading {
    const { instance, each } = resource
    if (!each) {
      const values = this.#values(template, resource)
      return { values, write: () => template.render(values) }
    }
    if (this.#last?.template !== template || this.#last.instance !== instance) {
      const values = this.#values(template, resource)
      values.each = each
      this.#last = { instance, template, reading: { values, write: template.forItems(values) } }
    }
    return this.#last.reading
  }

  #values(template: Template, { ref, instance, each }: Unfinished): Record<string, unknown> {
    const values: Record<string, unknown> = {}
    for (const read of template.reads) {
      const [root, member] = read.name.split('.') as [string, string | undefined]
      if (root === 'each' && each) continue
      else if (root === 'facts') values.facts = this.#evaluation.data.facts
      else if (root === 'title' && instance.manifest.kind === 'define')
        values.title = instance.names.title
      else if (instance.has(root)) values[root] = plain(instance.peek(root)?.value)
      else if (instance.scope.aliases.has(root) && member !== undefined) {
        const fields = instance.aliases.get(root)
        const known = instance.scope.aliases.get(root)
        if (fields && !fields.has(member))
          this.#unknownName(
            template,
            read,
            Object.keys(fields.scope.fields),
            `${known} has no value "${member}"`,
            ref,
          )
        values[root] ??= {}
        const members = values[root] as Record<string, unknown>
        members[member] = plain(fields?.peek(member)?.value)
      } else {
        this.#unknownName(
          template,
          read,
          [...instance.scope.names.names()],
          `"${root}" is not a name that ${instance.manifest.name} knows`,
          ref,
        )
      }
    }
    return values
  }

  #find(name: string, { ref, instance }: Unfinished, at: Path): Template {
    const { library } = this.#evaluation
    const file = library.path('templates', name)
    if (file === undefined) {
      this.#missing(instance, at, {
        code: 'template-missing',
        message: `${ref} has no template: there is no file "${name}"`,
        expected: `it under one of: ${library.folders.map((folder) => library.sources.shown(folder.templates)).join(', ')}`,
        help: library.nearestPath('templates', name),
      })
    }
    const template = this.#template(file)
    if (!template) throw new Failed()
    this.#named.set(name, template)
    return template
  }

  /** Undefined where it can't be used, which is told the first time. */
  #template(file: string): Template | undefined {
    if (this.#templates.has(file)) return this.#templates.get(file)
    let template: Template | undefined
    try {
      template = loadTemplate(file)
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      this.#tell(error, file, undefined)
      this.#evaluation.isWhole = false
    }
    this.#templates.set(file, template)
    return template
  }

  #unknownName(
    template: Template,
    read: { name: string; line: number; column: number },
    names: readonly string[],
    message: string,
    ref: string,
  ): never {
    const subject = read.name.split('.').at(-1) ?? read.name
    const help = didYouMean(subject, names)
    this.#diagnostics.push({
      severity: 'error',
      code: 'template-name',
      message: `${message} (the template of ${ref})`,
      place: this.#place(template.file, template.text, read.line, read.column, read.name.length),
      ...(help ? { help } : {}),
    })
    throw new Failed()
  }

  #missing(
    { manifest }: Instance,
    path: Path,
    {
      help,
      ...diagnostic
    }: Pick<Diagnostic, 'code' | 'message' | 'expected'> & {
      readonly help: string | undefined
    },
  ): never {
    this.#diagnostics.push({
      severity: 'error',
      ...diagnostic,
      ...(help === undefined ? {} : { help }),
      place: this.#evaluation.library.sources.place(manifest.file, path),
    })
    throw new Failed()
  }

  #tell(error: TemplateError, file: string, ref: string | undefined): void {
    let text = ''
    try {
      text = this.#evaluation.library.sources.text(file)
    } catch {
      // It could not be read, which is what the error says.
    }
    this.#diagnostics.push({
      severity: 'error',
      code: error.subject === undefined ? 'template-syntax' : 'template-name',
      message: ref === undefined ? error.message : `${error.message} (the template of ${ref})`,
      place: this.#place(file, text, error.line, error.column, error.subject?.length ?? 1),
    })
  }

  #place(file: string, text: string, line: number, column: number, length: number): Place {
    const content = text.split('\n')[line - 1]
    return {
      file: this.#evaluation.library.sources.shown(file),
      line,
      column,
      length,
      ...(content === undefined ? {} : { text: content }),
    }
  }
}

/** Not `plainData`, which would copy every list and map that a template reads once for each file. */
function plain(value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value
}
