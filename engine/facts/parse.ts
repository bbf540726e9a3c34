import type { LineCounter, ParsedNode } from 'yaml'
import type { Place } from '../diagnostics/diagnostic.ts'

/** Where the key at that path stands; of its parent where it is not there. */
export type FindKey = (path: readonly (string | number)[]) => Promise<Place>

export type ParsedText =
  | { readonly value: unknown; readonly findKey: FindKey }
  | { readonly error: string; readonly place: Place }

/** JSON. The yaml library, of which JSON is a part, is only loaded to find a place. */
export function parseJson(text: string, file: string): ParsedText {
  try {
    return { value: JSON.parse(text) as unknown, findKey: keyFinder(text, file) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const [, line = '1', column = '1'] = /\(line (\d+) column (\d+)\)/.exec(error.message) ?? []
    const message = error.message.replace(/,? (?:\.\.\.|in JSON|at position| is not valid).*$/s, '')
    return {
      error: `it is no JSON: ${message}`,
      place: placeIn(text, file, Number(line), Number(column)),
    }
  }
}

/** YAML as plain data; anchors are refused, for they can make little text into much data. */
export async function parseYamlFacts(text: string, file: string): Promise<ParsedText> {
  const { LineCounter, parseDocument, visit } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return placeIn(text, file, line, col)
  }
  const [error] = [...document.errors, ...document.warnings]
  if (error) {
    return { error: `it is no plain YAML: ${error.message}`, place: at(error.pos[0]) }
  }
  let alias: number | undefined
  visit(document, {
    Alias(_key, node) {
      alias = node.range?.[0] ?? 0
      return visit.BREAK
    },
  })
  if (alias !== undefined) return { error: 'it uses an alias', place: at(alias) }
  return { value: document.toJS() as unknown, findKey: keyFinder(text, file) }
}

function keyFinder(text: string, file: string): FindKey {
  return async (path) => {
    const { isMap, isScalar, isSeq, LineCounter, parseDocument } = await import('yaml')
    const lines: LineCounter = new LineCounter()
    let node: ParsedNode | null | undefined = parseDocument(text, { lineCounter: lines }).contents
    let offset = node?.range[0] ?? 0
    for (const step of path) {
      if (isMap(node)) {
        const pair: { key: ParsedNode; value: ParsedNode | null } | undefined = node.items.find(
          ({ key }) => isScalar(key) && String(key.value) === String(step),
        )
        if (!pair) break
        offset = pair.key.range[0]
        node = pair.value
      } else if (isSeq(node)) {
        node = node.items[Number(step)]
        offset = node?.range[0] ?? offset
      }
    }
    const { line, col } = lines.linePos(offset)
    return placeIn(text, file, line, col)
  }
}

function placeIn(text: string, file: string, line: number, column: number): Place {
  return { file, line, column, text: text.split('\n')[line - 1] ?? '' }
}
