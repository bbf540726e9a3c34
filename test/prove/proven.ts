import { compile } from '../../engine/compile/compile.ts'
import { renderDiagnostic } from '../../engine/diagnostics/render.ts'
import { type Proof, prove } from '../../engine/prove/prove.ts'
import { compileInput, type Given } from '../compile/input.ts'
import { manifestFolder } from '../compile/road.ts'

/** What is proven of the class `main`, given by its resources alone or as a whole. */
export async function proven(text: string, given: Given = {}): Promise<Proof> {
  const main = text.startsWith('class:') ? text : `class: main\nresources:\n${text}`
  const input = await compileInput(manifestFolder({ 'main.yaml': main }), given)
  const { catalog, diagnostics } = compile(input)
  if (!catalog) throw new Error(diagnostics.map((each) => renderDiagnostic(each)).join('\n'))
  return prove(catalog, input.library.sources)
}

/** Each finding as `CODE message`. */
export async function findings(text: string, given: Given = {}): Promise<string[]> {
  const proof = await proven(text, given)
  return proof.findings.map(({ code, message }) => `${code} ${message}`)
}
