import type { CatalogResource } from '../compile/catalog.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { type Claim, finding, lineFor, type Proving, wrongOrder } from './claim.ts'

/** What a resource says that it reads is written before it, and it hears of every change; so does what only listens. */
export function* reads(proving: Proving): Generator<Claim | Diagnostic> {
  for (const resource of proving.catalog.resources) {
    yield* declared(proving, resource)
    if (isIdle(resource) && !proving.listening.listens(resource.index))
      yield finding(proving, {
        code: 'unheard-change',
        message: `${resource.ref} runs only when something that it listens to changes, and it listens to nothing`,
        resource,
        help: 'write what is to set it off: subscribe: { TYPE: TITLE }',
      })
  }
}

function isIdle({ desired }: CatalogResource): boolean {
  return (desired as { readonly refreshonly?: boolean }).refreshonly === true
}

function* declared(proving: Proving, service: CatalogResource): Generator<Claim | Diagnostic> {
  const { catalog, listening } = proving
  for (const { on, by } of service.footprint.reads ?? []) {
    for (const writer of listening.writersOf(on)) {
      if (writer === service.index) continue
      const other = catalog.resources[writer] as CatalogResource
      if (!listening.isTold(service.index, writer)) {
        yield finding(proving, {
          code: 'unheard-change',
          message: `${service.ref} reads ${on}, and a change by ${other.ref} does not ${by} it`,
          resource: service,
          other,
          found: `an order that goes wrong: ${service.ref}, then ${other.ref}, and it runs on with what it had`,
          help: `write in ${service.ref}: ${by === 'reload' ? 'reload_on' : 'restart_on'}: [${JSON.stringify(on)}]`,
        })
        continue
      }
      yield {
        anyOf: [[writer, service.index]],
        otherwise: () =>
          finding(proving, {
            code: 'unheard-change',
            message: `${service.ref} reads ${on}, and nothing says that ${other.ref} writes it before`,
            resource: service,
            other,
            found: wrongOrder(proving, service, other),
            help: lineFor(proving, other, service),
          }),
      }
    }
  }
}
