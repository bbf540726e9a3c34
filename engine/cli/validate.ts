import { Refusal } from '../diagnostics/diagnostic.ts'
import { compileCatalog, load, provenOf } from '../index.ts'
import { aliasNotices } from '../load/class-list.ts'
import { validateAll } from '../validate.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { print, showDiagnostics } from './output.ts'

type ValidateFlags = CommonFlags & { readonly strict?: boolean }

/** `steward validate`: 1 when something is wrong. */
export async function run(flags: ValidateFlags, classes: readonly string[]): Promise<number> {
  const found =
    classes.length > 0
      ? await validateNamed(flags, classes)
      : await validateAll(roadOptions(flags, [], false), { isStrict: flags.strict === true })
  showDiagnostics(found.diagnostics, { json: flags.json })
  const errors = found.diagnostics.filter(({ severity }) => severity === 'error').length
  if (!flags.json && errors === 0) print(found.summary)
  return errors > 0 ? 1 : 0
}

async function validateNamed(flags: ValidateFlags, classes: readonly string[]) {
  try {
    const loaded = await load(roadOptions(flags, classes, false))
    const { catalog, notices } = compileCatalog(loaded)
    return {
      diagnostics: [
        ...loaded.notices,
        ...aliasNotices(loaded.input.classes, loaded.library),
        ...notices,
        ...catalog.notices,
        ...(flags.strict ? provenOf(catalog, loaded.library) : []),
      ],
      summary: `${classes.join(', ')}: ${catalog.resources.length === 1 ? '1 resource' : `${catalog.resources.length} resources`}, nothing wrong.`,
    }
  } catch (error) {
    if (error instanceof Refusal) return { diagnostics: error.diagnostics, summary: '' }
    throw error
  }
}
