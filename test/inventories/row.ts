import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One resource of a real catalog: a line of `catalogs/NAME.tsv`, whose README tells the columns. */
export interface Row {
  /** In lower case, `cron` also for the define of that name. */
  readonly type: string
  readonly title: string
  /** The class that holds it, also where a define stands between; empty for classes. */
  readonly class: string
  /** What is said of it, by attribute; what the catalog leaves open is absent. */
  readonly stated: ReadonlyMap<string, string>
}

const folder = join(import.meta.dirname, 'catalogs')

/** Names of the configurations whose catalogs are known, such as 9x-redis. */
export const configurationNames: readonly string[] = globSync('*.tsv', { cwd: folder })
  .map((file) => file.replace(/\.tsv$/, ''))
  .sort()

/** The resources of the real catalog of a configuration. */
export function rowsOf(configuration: string): readonly Row[] {
  const [header = '', ...lines] = readFileSync(join(folder, `${configuration}.tsv`), 'utf8')
    .trimEnd()
    .split('\n')
  const columns = header.split('\t')
  return lines.map((line) => {
    const cells = line.split('\t')
    const {
      type,
      title,
      class: holder,
      account,
      ...others
    } = Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']))
    const stated = Object.entries(others).filter(([, value]) => value !== '')
    return {
      type: type ?? '',
      title: title ?? '',
      class: holder ?? '',
      stated: new Map([...stated, ...accountFacts(account ?? '')]),
    }
  })
}

/** `gid=zulip home=/home/zulip` by name. */
function accountFacts(text: string): (readonly [string, string])[] {
  return text
    .split(' ')
    .filter((fact) => fact !== '')
    .map((fact) => {
      const [name = '', value = ''] = fact.split('=')
      return [name, value] as const
    })
}

/** As people read it: `file[/etc/memcached.conf]`. */
export function refOf({ type, title }: Pick<Row, 'type' | 'title'>): string {
  return `${type}[${title}]`
}
