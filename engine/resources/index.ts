import { alternatives } from './alternatives.ts'
import { aptRepository } from './apt-repository.ts'
import { archive } from './archive.ts'
import { blockInFile } from './block-in-file.ts'
import { cron } from './cron.ts'
import { debconf } from './debconf.ts'
import { download } from './download.ts'
import { dpkgDivert } from './dpkg-divert.ts'
import { exec } from './exec.ts'
import { file } from './file.ts'
import { fileLine } from './file-line.ts'
import { group } from './group.ts'
import { iniSetting } from './ini-setting.ts'
import { mount } from './mount.ts'
import { packageType } from './package.ts'
import { postgresqlCluster } from './postgresql-cluster.ts'
import { postgresqlDatabase } from './postgresql-database.ts'
import { postgresqlExtension } from './postgresql-extension.ts'
import { postgresqlRole } from './postgresql-role.ts'
import { rabbitmqPermission } from './rabbitmq-permission.ts'
import { rabbitmqUser } from './rabbitmq-user.ts'
import { rabbitmqVhost } from './rabbitmq-vhost.ts'
import { service } from './service.ts'
import { supervisorProgram } from './supervisor-program.ts'
import { sysctl } from './sysctl.ts'
import { tidy } from './tidy.ts'
import type { ResourceType } from './type.ts'
import { user } from './user.ts'

/** Every resource type by its name. `schemas/resources/NAME.json` stands beside each. */
export const types: ReadonlyMap<string, ResourceType> = new Map<string, ResourceType>([
  ['alternatives', alternatives],
  ['apt_repository', aptRepository],
  ['archive', archive],
  ['block_in_file', blockInFile],
  ['cron', cron],
  ['debconf', debconf],
  ['download', download],
  ['dpkg_divert', dpkgDivert],
  ['exec', exec],
  ['file', file],
  ['file_line', fileLine],
  ['group', group],
  ['ini_setting', iniSetting],
  ['mount', mount],
  ['package', packageType],
  ['postgresql_cluster', postgresqlCluster],
  ['postgresql_database', postgresqlDatabase],
  ['postgresql_extension', postgresqlExtension],
  ['postgresql_role', postgresqlRole],
  ['rabbitmq_permission', rabbitmqPermission],
  ['rabbitmq_user', rabbitmqUser],
  ['rabbitmq_vhost', rabbitmqVhost],
  ['service', service],
  ['supervisor_program', supervisorProgram],
  ['sysctl', sysctl],
  ['tidy', tidy],
  ['user', user],
])
