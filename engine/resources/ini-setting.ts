import schema from '../../schemas/resources/ini_setting.json' with { type: 'json' }
import { becomesAbsent, becomesPresent } from './diff-attributes.ts'
import { iniValues, withIniValue, withoutIniSetting } from './ini-lines.ts'
import { normalPath, parentPath } from './path.ts'
import { editTextFile, type FoundText, readTextFiles, textPathMistake } from './text-file.ts'
import type { Resource, ResourceType } from './type.ts'

interface Desired {
  readonly ensure?: 'present' | 'absent'
  readonly path: string
  /** `""`, the default, is the part before the first header. */
  readonly section?: string
  readonly setting: string
  readonly value?: string | number | boolean
  readonly key_val_separator?: string
}

/** One setting in a file of sections. */
export const iniSetting: ResourceType<Desired, FoundText> = {
  name: 'ini_setting',
  schema,
  check(resource) {
    const { ref, desired } = resource
    if (desired.ensure !== 'absent' && desired.value === undefined) {
      return { attribute: 'value', message: `${ref} has no value` }
    }
    return textPathMistake(resource)
  },
  footprint(resource) {
    const path = normalPath(resource.desired.path)
    const isGone = resource.desired.ensure === 'absent'
    const { section, setting } = nameOf(resource)
    const needs = isGone ? {} : { needs: [`path:${parentPath(path)}`] as const }
    return {
      ...needs,
      after: [`path:${path}`],
      writes: [path],
      edits: [{ path, part: `setting ${JSON.stringify([section, setting])}`, isGone }],
    }
  },
  async probe(settings, host) {
    return readTextFiles(settings, host)
  },
  diff(resource, file) {
    if ('blocked' in file) return file
    const values = iniValues(file, nameOf(resource))
    if (resource.desired.ensure === 'absent')
      return { changes: values.length > 0 ? [becomesAbsent] : [] }
    const to = valueText(resource)
    if (values.length > 0 && values.every((value) => value === to)) return { changes: [] }
    const from = values.length > 1 ? values : values[0]
    const change = { attribute: 'value', from, to }
    return { changes: values.length > 0 ? [change] : [becomesPresent, change] }
  },
  async apply(resource, _changes, host) {
    const { ensure, key_val_separator = ' = ' } = resource.desired
    const name = nameOf(resource)
    const { ref, sensitive } = resource
    const isSecret = sensitive?.has('value') === true || sensitive?.has('*') === true
    const { path } = resource.desired
    editTextFile({ ref, path, ...(isSecret ? { newMode: 0o600 } : {}) }, host, (file) =>
      ensure === 'absent'
        ? withoutIniSetting(file, name)
        : withIniValue(file, name, valueText(resource), key_val_separator),
    )
    return undefined
  },
}

function nameOf({ desired: { section = '', setting } }: Resource<Desired>) {
  return { section: section.trim(), setting: setting.trim() }
}

/** As it is read back: without the blanks around it. */
function valueText({ desired }: Resource<Desired>): string {
  return String(desired.value).trim()
}
