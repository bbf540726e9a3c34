import { isBuiltin } from 'node:module'
import type { Plugin } from 'esbuild'

/** What a snapshot can't hold once it is loaded: Node's own in C++ that is not made for it, and what uses `Intl`. */
const late = ['node:sqlite', 'string-width']
const inside = 'late-imports'

/**
 * Loads what a snapshot can't hold when the first of its functions or classes is called, instead of with the
 * bundle. The sources import it as anything else. What draws the progress of a run is in a file of its own, for
 * it begins with an await, which a snapshot can't hold either.
 */
export const lateImports: Plugin = {
  name: inside,
  setup(build) {
    build.onResolve({ filter: /^[^.]|\/progress\.tsx$/ }, ({ path, pluginData, importer }) => {
      if (pluginData === inside) return undefined
      if (path.endsWith('/progress.tsx')) return { path: 'progress', namespace: inside }
      // A package may import another version of the same than we do.
      if (!isBuiltin(path) && importer.includes('/node_modules/')) return undefined
      return late.includes(path) ? { path, namespace: inside, sideEffects: false } : undefined
    })
    build.onLoad({ filter: /.*/, namespace: inside }, async ({ path }) => ({
      contents: path === 'progress' ? progressModule : await lateModule(path),
      resolveDir: import.meta.dirname,
      pluginData: inside,
    }))
  },
}

/** From a snapshot, only code that Node has loaded from a file can import another. */
const progressModule = `
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
export async function showProgress(...given) {
  const load = createRequire(resolve(process.argv[1]))('./load.cjs')
  return (await load('./progress.js')).showProgress(...given)
}
`

/** A module with the functions and classes of another, which it loads when the first is called. */
async function lateModule(name: string): Promise<string> {
  const exported = Object.entries((await import(name)) as Record<string, unknown>)
  const load = isBuiltin(name) ? `process.getBuiltinModule('${name}')` : `require('${name}')`
  const functions = exported.filter(([, value]) => typeof value === 'function')
  return `
let loaded
const load = () => (loaded ??= ${load})
${functions
  .map(
    ([key]) =>
      `export ${key === 'default' ? 'default ' : ''}function ${key === 'default' ? '' : key}(...given) { return new.target ? new (load().${key})(...given) : load().${key}(...given) }`,
  )
  .join('\n')}
`
}
