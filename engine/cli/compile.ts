import type { Catalog } from '../compile/catalog.ts'
import { compileCatalog, load } from '../index.ts'
import { SECRET } from '../redactor.ts'
import { withExample } from './example.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { note, print, showDiagnostics } from './output.ts'

/** `steward compile`: the catalog, without its secrets. */
export async function run(flags: CommonFlags, classes: readonly string[]): Promise<number> {
  const { options, told } = withExample(roadOptions(flags, classes, false))
  if (told !== undefined) note(told)
  const loaded = await load(options)
  const { catalog, notices } = compileCatalog(loaded)
  showDiagnostics([...loaded.notices, ...notices])
  print(flags.json ? JSON.stringify(catalogJson(catalog), undefined, 2) : catalogText(catalog))
  return 0
}

/** The catalog as plain data, resources in the order in which they are acted on. */
function catalogJson(catalog: Catalog): object {
  const ref = (index: number) => catalog.resources[index]?.ref
  const edge = ({ from, to, ...rest }: Catalog['edges'][number]) => ({
    from: ref(from),
    to: ref(to),
    ...rest,
  })
  return {
    classes: catalog.classes,
    resources: catalog.order.map((index) => {
      const resource = catalog.resources[index] as Catalog['resources'][number]
      const isSecret = (key: string) => resource.sensitive.has('*') || resource.sensitive.has(key)
      return {
        ref: resource.ref,
        type: resource.type,
        title: resource.title,
        attributes: Object.fromEntries(
          Object.entries(resource.desired).map(([key, value]) => [
            key,
            isSecret(key) ? SECRET : value,
          ]),
        ),
        ...(resource.tags.length > 0 ? { tags: resource.tags } : {}),
        ...(resource.noop ? { noop: true } : {}),
        containers: resource.containers,
        file: resource.file,
      }
    }),
    edges: catalog.edges.map(edge),
    dropped: catalog.dropped.map(edge),
  }
}

function catalogText(catalog: Catalog): string {
  const lines = catalog.order.map((index) => catalog.resources[index]?.ref ?? '')
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`
  return [
    ...lines,
    '',
    `${count(catalog.resources.length, 'resource')}, ${count(catalog.edges.length, 'relation')}; --json prints them whole.`,
  ].join('\n')
}
