import { aptRepository } from './apt-repository.ts'
import { blockInFile } from './block-in-file.ts'
import { cron } from './cron.ts'
import { download } from './download.ts'
import { exec } from './exec.ts'
import { file } from './file.ts'
import { fileLine } from './file-line.ts'
import { group } from './group.ts'
import { iniSetting } from './ini-setting.ts'
import { packageType } from './package.ts'
import { service } from './service.ts'
import { sysctl } from './sysctl.ts'
import { tidy } from './tidy.ts'
import type { ResourceType } from './type.ts'
import { user } from './user.ts'

/** Every resource type by its name. `schemas/resources/NAME.json` stands beside each. */
export const types: ReadonlyMap<string, ResourceType> = new Map<string, ResourceType>([
  ['apt_repository', aptRepository],
  ['block_in_file', blockInFile],
  ['cron', cron],
  ['download', download],
  ['exec', exec],
  ['file', file],
  ['file_line', fileLine],
  ['group', group],
  ['ini_setting', iniSetting],
  ['package', packageType],
  ['service', service],
  ['sysctl', sysctl],
  ['tidy', tidy],
  ['user', user],
])
