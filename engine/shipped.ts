import { dirname, resolve } from 'node:path'

/** What comes with steward besides its code. */
export type ShippedFolder = 'manifests' | 'templates' | 'schemas' | 'dist'

/**
 * Names the sources that the bundle was made from; undefined where steward runs from the sources themselves.
 */
export const build: string | undefined = process.env.STEWARD_BUILD

/**
 * The absolute path of a folder that comes with steward. This file lies in `engine/` and the bundle's in
 * `dist/`: both are right below the folder that holds the others, in a checkout and in an installed archive.
 * Where the bundle lies is asked when it runs, for it was loaded when it was made, and elsewhere.
 */
export function shippedFolder(folder: ShippedFolder): string {
  const here = build === undefined ? import.meta.dirname : dirname(process.argv[1] ?? '')
  return resolve(here, '..', folder)
}
