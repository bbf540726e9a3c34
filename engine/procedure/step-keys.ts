import type { ResourceDecl } from '../load/manifest.ts'

/**
 * The steps of a list with the part of their key that stands for them: by it a run that was cut off finds them
 * again, so it is their id or their type and title, and not their place. A second of the same name is `~2`.
 */
export function keyed(
  decls: readonly ResourceDecl[],
): readonly { readonly decl: ResourceDecl; readonly name: string }[] {
  const seen = new Map<string, number>()
  return decls.map((decl) => {
    const { type, titles, meta } = decl
    const name = escaped(
      meta.id === undefined ? `${type}[${titles.join(', ')}]` : `${type}(${meta.id})`,
    )
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return { decl, name: count === 1 ? name : `${name}~${count}` }
  })
}

/** The name that a key ends with, for people. */
export function lastName(key: string): string {
  return decodeURIComponent(key.slice(key.lastIndexOf('/') + 1))
}

/** Whether a key is that of a step, or of something inside it. */
export function isWithin(key: string, step: string): boolean {
  return key === step || key.startsWith(`${step}/`)
}

/** Whether a key is within one of the steps, item by item and title by title, that a declaration stands for. */
export function isWithinAny(key: string, decl: string): boolean {
  return isWithin(key, decl) || key.startsWith(`${decl}#`) || key.startsWith(`${decl}+`)
}

/** Without the signs that take a key apart. */
function escaped(name: string): string {
  return name.replace(/[%/#+?!~]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
}
