import { join } from 'node:path'

/** What comes with steward besides its code. */
export type ShippedFolder = 'manifests' | 'templates' | 'schemas' | 'dist'

/**
 * The absolute path of a folder that comes with steward. This file lies in `engine/` and the bundle's in
 * `dist/`: both are right below the folder that holds the others, in a checkout and in an installed archive,
 * and Node has already followed the links that led here.
 */
export function shippedFolder(folder: ShippedFolder): string {
  return join(import.meta.dirname, '..', folder)
}

/**
 * Names the sources that the bundle was made from; undefined where steward runs from the sources themselves.
 */
export const build: string | undefined = process.env.STEWARD_BUILD
