import type { CatalogResource } from '../compile/catalog.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { unitName } from '../resources/systemctl.ts'
import { finding, type Proving } from './claim.ts'

/** Two resources of different titles that want the opposite of one thing: each run, one takes back the other. */
export function* opposites(proving: Proving): Generator<Diagnostic> {
  yield* memberships(proving)
  yield* services(proving)
}

/** What users and groups say of who belongs to whom. */
interface Membership {
  readonly ensure?: string
  readonly groups?: readonly string[]
  readonly members?: readonly string[]
  readonly membership?: 'minimum' | 'inclusive'
}

function* memberships(proving: Proving): Generator<Diagnostic> {
  const users = byTitle(proving, 'user')
  const groups = byTitle(proving, 'group')
  for (const user of users.values()) {
    const { groups: wanted = [] } = user.desired as Membership
    for (const name of wanted) {
      const group = groups.get(name)
      if (group && leavesOut(group, 'members', user.title))
        yield takenBack(proving, user, group, `${user.title} belongs to ${name}`)
    }
  }
  for (const group of groups.values()) {
    const { members = [] } = group.desired as Membership
    for (const name of members) {
      const user = users.get(name)
      if (user && leavesOut(user, 'groups', group.title))
        yield takenBack(proving, group, user, `${name} belongs to ${group.title}`)
    }
  }
}

function leavesOut({ desired }: CatalogResource, key: 'members' | 'groups', name: string): boolean {
  const { membership, ensure, [key]: named } = desired as Membership
  return (
    ensure !== 'absent' &&
    membership === 'inclusive' &&
    named !== undefined &&
    !named.includes(name)
  )
}

function byTitle({ catalog }: Proving, type: string): Map<string, CatalogResource> {
  return new Map(
    catalog.resources.flatMap((each) => (each.type === type ? [[each.title, each]] : [])),
  )
}

/** One unit under two names, such as `nginx` and `nginx.service`. */
function* services(proving: Proving): Generator<Diagnostic> {
  const byUnit = new Map<string, CatalogResource>()
  for (const service of proving.catalog.resources) {
    if (service.type !== 'service') continue
    const unit = unitName(service.title)
    const other = byUnit.get(unit)
    byUnit.set(unit, service)
    if (!other) continue
    const [one, two] = [other, service].map(
      ({ desired }) => desired as { readonly ensure?: string; readonly enable?: boolean | 'mask' },
    )
    for (const key of ['ensure', 'enable'] as const) {
      const [first, second] = [one?.[key], two?.[key]]
      if (first !== undefined && second !== undefined && first !== second)
        yield takenBack(proving, other, service, `${unit} has ${key}: ${first}`)
    }
  }
}

function takenBack(
  proving: Proving,
  resource: CatalogResource,
  other: CatalogResource,
  what: string,
): Diagnostic {
  return finding(proving, {
    code: 'taken-back',
    message: `${resource.ref} sees to it that ${what}, and ${other.ref} takes that back`,
    resource,
    other,
    found: `an order that goes wrong: ${resource.ref}, ${other.ref}, and in the next run again`,
    help: 'let both say the same, or one of them nothing',
  })
}
