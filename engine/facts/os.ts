import type { HostReader } from '../host/host.ts'
import type { Facts } from './schema.ts'
import { textOf } from './text.ts'

/** Source: os-release(5). */
export function readOs(host: HostReader): Facts['os'] {
  return parseOsRelease(textOf(host, '/etc/os-release') || textOf(host, '/usr/lib/os-release'))
}

export function parseOsRelease(text: string): Facts['os'] {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) fields.set(name, unquote(value))
  }
  // os-release(5) names these for a file that says nothing.
  const id = fields.get('ID') ?? 'linux'
  return {
    family: familyOf([id, ...(fields.get('ID_LIKE') ?? '').split(' ')]) ?? id,
    id,
    codename: fields.get('VERSION_CODENAME') ?? '',
    version: fields.get('VERSION_ID') ?? '',
    name: fields.get('PRETTY_NAME') ?? 'Linux',
  }
}

function familyOf(ids: readonly string[]): string | undefined {
  return ids.map((id) => families.get(id)).find((family) => family !== undefined)
}

const families = new Map([
  ['debian', 'Debian'],
  ['ubuntu', 'Debian'],
  ['rhel', 'RedHat'],
  ['fedora', 'RedHat'],
  ['centos', 'RedHat'],
  ['suse', 'Suse'],
])

/** The file is made for shells to read. */
function unquote(value: string): string {
  const quote = value[0]
  if (quote === "'") return value.slice(1, -1)
  if (quote === '"') return value.slice(1, -1).replace(/\\([\\"$`])/g, '$1')
  return value
}
