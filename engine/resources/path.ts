/**
 * Why a path can't be used in a resource, as the end of a sentence that
 * begins with the path; undefined where it can.
 */
export function pathMistake(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not an absolute path'
  if (path.includes('\0')) return 'holds a NUL byte'
  if (path.includes('..') && path.split('/').includes('..'))
    return 'holds "..", which a path of a resource may not'
  return undefined
}

/** One spelling for each path: `/a//b/./` is `/a/b`. For absolute paths without `..`. */
export function normalPath(path: string): string {
  if (!path.includes('//') && !path.includes('/.') && !path.endsWith('/')) return path
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return `/${parts.join('/')}`
}

/** The directory that a normal path lies in; `/` for itself. */
export function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** A name, or a path of names, below a normal path. */
export function joinPath(directory: string, name: string): string {
  if (name === '') return directory
  return directory === '/' ? `/${name}` : `${directory}/${name}`
}
