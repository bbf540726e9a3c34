import type { Resource } from './type.ts'

/**
 * What a name of a user or group looks like: no name of digits alone, which would be taken for a number,
 * and nothing that /etc/passwd, an argument list or a path would read as something else.
 * Source: useradd(8), "CAVEATS"; Debian's own rule is wider.
 */
const accountName = /^[A-Za-z_][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_.$-]?$/

/** A `check` of the title of a user or group. */
export function checkAccountName({
  ref,
  type,
  title,
}: Resource): { readonly message: string; readonly help: string } | undefined {
  if (accountName.test(title)) return undefined
  return {
    message: `${ref} has no name that a ${type} can have`,
    help: 'use at most 32 letters, digits, "_", "-" and ".", beginning with a letter or "_"',
  }
}
