import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TreeName, treeOf } from './trees.ts'

/** A file of a tree. */
export interface TreeFile {
  readonly content: Buffer
  readonly isExecutable: boolean
}

/** The files of a tree as git has them, by their paths, in order. */
export function treeFiles(name: TreeName): Map<string, TreeFile> {
  const { version, overlays = [], edits = [], without = [] } = treeOf(name)
  const files = new Map<string, TreeFile>()
  for (const folder of ['base', ...overlays.map((overlay) => join('overlays', overlay))]) {
    for (const [path, file] of readFolder(join(import.meta.dirname, folder))) files.set(path, file)
  }
  for (const path of without) {
    if (!files.delete(path)) throw new Error(`tree "${name}": the base has no ${path}`)
  }
  const named = { path: 'version.py', from: '"0.0+git"', to: `"${version}+git"` }
  for (const { path, from, to } of [named, ...edits]) {
    const file = files.get(path)
    const parts = file?.content.toString().split(from)
    if (file === undefined || parts?.length !== 2)
      throw new Error(`tree "${name}": ${path} does not have this once: ${from}`)
    files.set(path, { ...file, content: Buffer.from(parts.join(to)) })
  }
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** What Python leaves beside files that it has run is none of them. */
function readFolder(folder: string): [string, TreeFile][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.includes('__pycache__') && statSync(join(folder, path)).isFile())
    .map((path) => {
      const isExecutable = (statSync(join(folder, path)).mode & 0o100) !== 0
      return [path, { content: readFileSync(join(folder, path)), isExecutable }]
    })
}
