import { cron } from './cron.ts'
import { group } from './group.ts'
import { sysctl } from './sysctl.ts'
import type { ResourceType } from './type.ts'
import { user } from './user.ts'

/** Every resource type by its name; adding one is a line here. Beside it stands `schemas/resources/NAME.json`. */
export const types: ReadonlyMap<string, ResourceType> = new Map(
  [cron, group, sysctl, user].map((type): [string, ResourceType] => [type.name, type]),
)
