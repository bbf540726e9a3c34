import { visibleLine } from '../diagnostics/visible.ts'

/** Options that say where things lie, as they were given on the command line. */
export interface GivenOptions {
  readonly root?: string
  readonly state?: string
  readonly config?: string
  readonly manifests?: readonly string[]
}

/** What commands take that only look at the record. */
export const OF_RECORD = ['root', 'state'] as const
/** What those take that read manifests. */
const OF_ROAD = ['root', 'state', 'config', 'manifests'] as const

/** Those of the options that a suggested command takes, as they stand behind it, each with a blank before it. */
export function givenText(
  given: GivenOptions,
  taken: readonly (keyof GivenOptions)[] = OF_ROAD,
): string {
  return taken
    .flatMap((name) => [given[name] ?? []].flat().map((value) => ` --${name} ${shellWord(value)}`))
    .join('')
}

function shellWord(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${visibleLine(value).replaceAll("'", `'\\''`)}'`
}
