import { createHash } from 'node:crypto'
import type { Library } from '../load/library.ts'
import type { Manifest, ResourceDecl } from '../load/manifest.ts'

/**
 * Stands for the steps of a procedure, with those of the defines and classes that it is made of, in hex. A run
 * is kept by the places of its steps, so it can go on only where they are the same.
 */
export function stepsDigest(
  { name, steps }: Pick<Manifest, 'name' | 'steps'>,
  library: Library,
): string {
  const found = new Map<string, readonly ResourceDecl[]>()
  const visit = (of: string, decls: readonly ResourceDecl[]): void => {
    if (found.has(of)) return
    found.set(of, decls)
    for (const decl of decls) inside(decl)
  }
  const inside = (decl: ResourceDecl): void => {
    for (const part of ['steps', 'rescue', 'always'])
      for (const inner of (decl.attributes[part] as ResourceDecl[] | undefined) ?? []) inside(inner)
    const used = decl.type === 'class' ? decl.titles : decl.type.includes('::') ? [decl.type] : []
    for (const each of used) {
      const manifest = library.find(each)
      if (manifest?.steps) visit(manifest.name, manifest.steps)
    }
  }
  visit(name, steps ?? [])
  return createHash('sha256')
    .update(JSON.stringify([...found]))
    .digest('hex')
}
