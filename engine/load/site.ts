import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../diagnostics/suggest.ts'
import type { HostReader } from '../host/host.ts'
import { whyUntrusted } from '../host/trust.ts'
import { type LocalEdits, localEditsChoices } from '../resources/type.ts'
import { readTextFile } from './text-file.ts'
import type { Locator } from './yaml.ts'

/**
 * What the administrator decides for this host, stronger than `with` and
 * zulip.conf. Plain data: `${{` is literal.
 */
export interface Site {
  /** Values of parameters by class, then by name, with leading `::` taken off the class. */
  readonly parameters: ReadonlyMap<string, ReadonlyMap<string, SiteValue>>
  /** Steward's own settings; what is absent is left to what is built in. */
  readonly settings: {
    readonly localEdits?: LocalEdits
    /** What is removed that was managed once and is not any more; nothing when absent. */
    readonly removeOrphans?: (typeof orphanChoices)[number]
  }
}
export interface SiteValue {
  readonly value: unknown
  readonly place: Place
}

type Read = { readonly site: Site } | { readonly diagnostics: readonly Diagnostic[] }

/**
 * The site file; empty where there is none. Refused (site-file) when it, or a folder or link
 * on the way to it, belongs to or can be written by anyone but root and whoever runs
 * steward, and for every mistake of form in it.
 */
export async function readSite(host: HostReader, path: string): Promise<Read> {
  const found = readTextFile(host, path, 'site-file')
  if (!found) return { site: { parameters: new Map(), settings: {} } }
  if ('diagnostics' in found) return found
  const why = whyUntrusted(found.trace)
  if (why === undefined) return parseSite(found.text, found.file)
  return {
    diagnostics: [
      {
        severity: 'error',
        code: 'site-file',
        message: `${found.file} could be somebody else's words`,
        expected: 'a file that only root can write, in folders that only root can write',
        found: why,
        help: 'let root own it and take the right to write from others (chown root, chmod go-w), after reading it',
      },
    ],
  }
}

/** Takes the text of a site file. The yaml library is only loaded here, for most hosts have no such file. */
export async function parseSite(text: string, file: string): Promise<Read> {
  const { locator, parseYaml } = await import('./yaml.ts')
  const { value, diagnostics } = parseYaml(text, file)
  if (diagnostics.length > 0) return { diagnostics }
  const form = new SiteForm(locator(text, file))
  const site = form.site(value)
  return form.diagnostics.length > 0 ? { diagnostics: form.diagnostics } : { site }
}

/** Collects the mistakes of form while it reads. */
class SiteForm {
  readonly diagnostics: Diagnostic[] = []
  readonly #locator: Locator
  constructor(locator: Locator) {
    this.#locator = locator
  }

  site(value: unknown): Site {
    const top = this.#map(value, [], 'the site file')
    for (const key of Object.keys(top)) {
      if (!topKeys.includes(key)) this.#unknownKey(key)
    }
    const parameters = this.#map(top.parameters, ['parameters'], '"parameters"')
    const classes = Object.keys(parameters).map((name) => {
      const path = ['parameters', name]
      const own = this.#map(parameters[name], path, `"parameters" of ${name}`)
      const values = Object.entries(own).map(
        ([key, each]) =>
          [key, { value: each, place: this.#locator.place([...path, key]) }] as const,
      )
      return [name.replace(/^::/, ''), new Map(values)] as const
    })
    const localEdits = this.#choice('local_edits', top.local_edits, {
      choices: localEditsChoices,
      otherwise: 'leave it out for "overwrite"',
    })
    const removeOrphans = this.#choice('remove_orphans', top.remove_orphans, {
      choices: orphanChoices,
      otherwise: 'leave it out to have them listed only',
    })
    return {
      parameters: new Map(classes),
      settings: {
        ...(localEdits ? { localEdits } : {}),
        ...(removeOrphans ? { removeOrphans } : {}),
      },
    }
  }

  #choice<Choice extends string>(
    key: string,
    value: unknown,
    { choices, otherwise }: { readonly choices: readonly Choice[]; readonly otherwise: string },
  ): Choice | undefined {
    const choice = choices.find((each) => each === value)
    if (choice === undefined && value !== undefined) {
      const word = typeof value === 'string' ? value : ''
      this.#refuse([key], `${key} has no such choice`, {
        expected: `one of: ${choices.join(', ')}`,
        found: JSON.stringify(value),
        help: didYouMean(word, choices) ?? otherwise,
      })
    }
    return choice
  }

  /** Nothing at all counts as an empty mapping: everything below the key may be commented out. */
  #map(value: unknown, path: readonly string[], name: string): Readonly<Record<string, unknown>> {
    if (value === undefined || value === null) return {}
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
    this.#refuse(path, `${name} is no mapping`, {
      expected: path.length === 2 ? 'parameters and their values' : 'a mapping, one key a line',
      found: JSON.stringify(value),
      help: 'write it as in: parameters: { zulip::profile::memcached: { memory_mb: 512 } }',
    })
    return {}
  }

  #unknownKey(key: string): void {
    this.#refuse([key], `the site file has no key "${key}"`, {
      expected: `one of: ${topKeys.join(', ')}`,
      found: key,
      help:
        didYouMean(key, topKeys) ??
        'write values of parameters below "parameters:" and their class',
      on: 'key',
    })
  }

  #refuse(
    path: readonly string[],
    message: string,
    { on, ...parts }: { expected: string; found: string; help: string; on?: 'key' },
  ): void {
    const place = this.#locator.place(path, on)
    this.diagnostics.push({ severity: 'error', code: 'site-file', message, place, ...parts })
  }
}

const topKeys: readonly string[] = ['parameters', 'local_edits', 'remove_orphans']
const orphanChoices = ['files', 'packages'] as const
