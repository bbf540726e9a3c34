import { isBuiltin } from 'node:module'
import type { Plugin } from 'esbuild'

/**
 * What many runs never call, and what takes long to load. Nothing of them is used while the bundle is loaded.
 */
const lazy = [
  'yaml',
  'diff',
  'handlebars',
  'croner',
  'string-width',
  'node:child_process',
  'node:readline/promises',
]
const inside = 'lazy-packages'

/**
 * Loads some packages when the first of their functions is called, instead of with the
 * bundle. The sources import them as any other.
 */
export const lazyPackages: Plugin = {
  name: inside,
  setup(build) {
    build.onResolve({ filter: /^[^.]/ }, ({ path, pluginData, kind, importer }) => {
      if (pluginData === inside || kind !== 'import-statement') return undefined
      // A package may import another version of the same than we do.
      if (!isBuiltin(path) && importer.includes('/node_modules/')) return undefined
      const name = isBuiltin(path) ? `node:${path.replace(/^node:/, '')}` : path
      return lazy.includes(name) ? { path: name, namespace: inside, sideEffects: false } : undefined
    })
    build.onLoad({ filter: /.*/, namespace: inside }, async ({ path }) => ({
      contents: await lazyModule(path),
      resolveDir: import.meta.dirname,
      pluginData: inside,
    }))
  },
}

/** A module with the functions and classes of another, which it loads when the first is called. */
async function lazyModule(name: string): Promise<string> {
  const exported = Object.entries((await import(name)) as Record<string, unknown>)
  const functions = exported.filter(
    ([key, value]) => typeof value === 'function' && key !== 'default',
  )
  const hasFunction = exported.some(
    ([key, value]) => key === 'default' && typeof value === 'function',
  )
  const load = isBuiltin(name) ? `process.getBuiltinModule('${name}')` : `require('${name}')`
  return `
let loaded
const load = () => (loaded ??= ${load})
${functions
  .map(
    ([key]) =>
      `export function ${key}(...given) { return new.target ? new (load().${key})(...given) : load().${key}(...given) }`,
  )
  .join('\n')}
export default ${hasFunction ? '(...given) => load().default(...given)' : 'new Proxy({}, { get: (_, key) => (load().default ?? load())[key] })'}
`
}

/**
 * The text of a bundled file with Node's own modules taken as they are. An import of one looks at
 * each of its properties, and so loads the streams of `node:fs` and makes the three of
 * `node:process`, which is felt at every start.
 */
export function withoutBuiltinImports(text: string): string {
  const taken: string[] = []
  const rest = text.replace(
    /^import (?:\* as (\w+)|(\w+)|(\w+)?,? ?\{([^}]*)\}) from "(node:[\w/]+|\w+)";$/gm,
    (line, all: string, whole: string, alsoWhole: string, named: string, path: string) => {
      if (!isBuiltin(path)) return line
      const name = `node:${path.replace(/^node:/, '')}`
      const from = name === 'node:process' ? 'process' : `process.getBuiltinModule('${name}')`
      const object = all ?? whole ?? alsoWhole
      if (object !== undefined)
        taken.push(`const ${object} = ${from === 'process' ? 'globalThis.process' : from}`)
      if (named !== undefined) taken.push(`const {${named.replaceAll(' as ', ': ')}} = ${from}`)
      return ''
    },
  )
  return `${taken.join('\n')}\n${rest}`
}
