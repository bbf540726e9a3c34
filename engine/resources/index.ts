import { aptRepository } from './apt-repository.ts'
import { cron } from './cron.ts'
import { download } from './download.ts'
import { exec } from './exec.ts'
import { file } from './file.ts'
import { group } from './group.ts'
import { packageType } from './package.ts'
import { service } from './service.ts'
import { sysctl } from './sysctl.ts'
import type { ResourceType } from './type.ts'
import { user } from './user.ts'

/** Every resource type by its name. `schemas/resources/NAME.json` stands beside each. */
export const types: ReadonlyMap<string, ResourceType> = new Map<string, ResourceType>([
  ['apt_repository', aptRepository],
  ['cron', cron],
  ['download', download],
  ['exec', exec],
  ['file', file],
  ['group', group],
  ['package', packageType],
  ['service', service],
  ['sysctl', sysctl],
  ['user', user],
])
