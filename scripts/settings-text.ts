import type { Library } from '../engine/load/library.ts'
import type { Manifest, ParameterDecl } from '../engine/load/manifest.ts'
import { typeWords, type ValueForm } from '../engine/ui/schema-words.ts'

const begin =
  '<!-- From here to the end mark it is made by scripts/zulip-readme.ts of the manifests. -->'
const end = '<!-- End of what is made of the manifests. -->'

/** The page with what the manifests say now between its two marks. */
export function withSettings(page: string, library: Library): string {
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) {
    throw new Error(`the page lacks a line "${begin}" with a line "${end}" after it`)
  }
  return `${before}${begin}\n\n${settingsText(library)}\n${end}${after}`
}

/** Classes, old names, defines and settings, in Markdown. Tables are not padded: a line changes alone. */
function settingsText(library: Library): string {
  const manifests = library.names().flatMap((name) => {
    const manifest = name.startsWith('zulip') ? library.read(name) : undefined
    return manifest && !manifest.steps ? [manifest] : []
  })
  const aliases = manifests.filter(({ aliasOf }) => aliasOf !== undefined)
  const classes = manifests.filter(({ kind, aliasOf }) => kind === 'class' && aliasOf === undefined)
  const defines = manifests.filter(({ kind }) => kind === 'define')
  return [
    '## Classes\n',
    table(
      ['class', 'what it is', 'brings'],
      classes.map((each) => [code(each.name), each.summary ?? '', bringsOf(each)]),
    ),
    ...(aliases.length === 0
      ? []
      : [
          '### Names of Zulip 2.0\n',
          table(
            ['name', 'stands for'],
            aliases.map(({ name, aliasOf }) => [code(name), code(aliasOf ?? '')]),
          ),
        ]),
    '## Settings\n',
    ...classes
      .filter(({ parameters }) => Object.keys(parameters).length > 0)
      .map(({ name, parameters }) => `### ${name}\n\n${settingsTable(parameters)}`),
    '## Defines\n',
    'For classes of your own: used like a resource type.\n',
    ...defines.map(
      (each) => `### ${each.name}\n\n${each.summary ?? ''}\n\n${parametersTable(each)}`,
    ),
  ].join('\n')
}

function bringsOf({ include }: Manifest): string {
  return include
    .map((each) => `${code(each.class)}${each.when === undefined ? '' : ' at times'}`)
    .join(', ')
}

function settingsTable(parameters: Manifest['parameters']): string {
  const rows = Object.entries(parameters)
  const settings = rows.filter(([, { from }]) => from !== undefined)
  const others = rows.filter(([, { from }]) => from === undefined)
  return [
    ...(settings.length === 0
      ? []
      : [
          table(
            ['setting', 'type', 'default', 'effect'],
            settings.map(([, decl]) => [code(decl.from ?? ''), ...aboutOf(decl)]),
          ),
        ]),
    ...(others.length === 0
      ? []
      : [
          table(
            ['parameter, not in zulip.conf', 'type', 'default', 'effect'],
            others.map(([name, decl]) => [code(name), ...aboutOf(decl)]),
          ),
        ]),
  ].join('\n')
}

function parametersTable({ parameters }: Manifest): string {
  return table(
    ['parameter', 'type', 'default', 'effect'],
    Object.entries(parameters).map(([name, decl]) => [code(name), ...aboutOf(decl)]),
  )
}

function aboutOf(decl: ParameterDecl): string[] {
  return [formOf(decl), defaultOf(decl), decl.description ?? '']
}

function formOf(decl: ParameterDecl): string {
  const { pattern, minLength } = decl
  const words = typeWords(decl as ValueForm)
  if (typeof pattern === 'string') return `${words} of the form ${code(pattern)}`
  return minLength === undefined ? words : `${words}, not empty`
}

function defaultOf({ default: value }: ParameterDecl): string {
  if (value === undefined) return 'unset'
  if (value === '') return 'empty'
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  if (isEmpty) return 'none'
  if (typeof value !== 'string') return code(JSON.stringify(value))
  const expression = /^\$\{\{(.*)\}\}$/s.exec(value)?.[1]
  return code((expression ?? value).trim())
}

function code(text: string): string {
  return `\`${text}\``
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/\s+/g, ' ')).join(' | ')} |\n`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('')
}
