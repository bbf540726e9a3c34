import { readFileSync } from 'node:fs'
import { isAbsolute, relative } from 'node:path'
import type { Place } from '../diagnostics/diagnostic.ts'
import { type Locator, locator, type Path } from './yaml.ts'

/** Texts that were read, and places in them. A place is only worked out when somebody has to see it. */
export class Sources {
  readonly #texts = new Map<string, string>()
  readonly #locators = new Map<string, Locator>()
  readonly #from: string

  /** `from` is the folder that shown paths are relative to. */
  constructor(from: string = process.cwd()) {
    this.#from = from
  }

  /** The text of a file, read once. Throws as `readFileSync` does. */
  text(file: string): string {
    let text = this.#texts.get(file)
    if (text === undefined) {
      text = readFileSync(file, 'utf8')
      this.#texts.set(file, text)
    }
    return text
  }

  /** Says that a file is to be read as another text with the same lines: what is no YAML in it has another value. */
  readAs(file: string, text: string): void {
    this.#locators.set(file, locator(text, this.shown(file)))
  }

  /** A file as people name it: relative where it lies below where they stand. */
  shown(file: string): string {
    if (this.#from === '/') return file
    const path = relative(this.#from, file)
    return path === '' || path.startsWith('..') || isAbsolute(path) ? file : path
  }

  place(file: string, path: Path, on?: 'key' | 'value'): Place {
    return this.#locator(file).place(path, on)
  }

  within(file: string, path: Path, offset: number, length: number): Place {
    return this.#locator(file).within(path, offset, length)
  }

  #locator(file: string): Locator {
    let found = this.#locators.get(file)
    if (!found) {
      found = locator(this.text(file), this.shown(file))
      this.#locators.set(file, found)
    }
    return found
  }
}
