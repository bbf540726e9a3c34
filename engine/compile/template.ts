import { readFileSync } from 'node:fs'
import Handlebars from 'handlebars'
import { TemplateError } from './template-error.ts'
import { type TemplateProgram, templateProgram } from './template-program.ts'

export interface Template extends TemplateProgram {
  readonly file: string
  readonly text: string
}

/** Reads and parses a template file. Throws `TemplateError`. */
export function loadTemplate(file: string): Template {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new TemplateError(`the template can't be read: ${(error as Error).message}`, 1, 1)
  }
  return parseTemplate(text, file)
}

export function parseTemplate(text: string, file: string): Template {
  return { file, text, ...templateProgram(parse(text)) }
}

function parse(text: string): hbs.AST.Program {
  try {
    return Handlebars.parse(text)
  } catch (error) {
    const message = (error as Error).message
    const line = Number(/line (\d+)/.exec(message)?.[1] ?? 1)
    const detail = message.split('\n').at(-1) ?? message
    throw new TemplateError(
      detail.endsWith("got 'EOF'")
        ? 'the template ends inside a block, or between braces: something like {{/if}} is missing'
        : `this is no template: ${detail}`,
      line,
      1,
    )
  }
}
