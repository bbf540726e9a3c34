import { resolve } from 'node:path'
import { type CompileInput, compile, incompleteNotices } from './compile/compile.ts'
import { factFields } from './compile/fact-fields.ts'
import { Scopes } from './compile/scope.ts'
import type { Diagnostic } from './diagnostics/diagnostic.ts'
import { sortByPlace, uniqueDiagnostics as unique } from './diagnostics/render.ts'
import { listedClasses, load, provenOf, type RoadOptions } from './index.ts'
import { aliasNotices } from './load/class-list.ts'
import type { ManifestFolder } from './load/library.ts'
import type { Manifest } from './load/manifest.ts'

/** What depends on the host or on its data and not on a manifest: a class by itself need not have it. */
const HOST_CODES = new Set(['unset-value', 'conf-value', 'assertion-failed'])

/**
 * Checks every manifest of the folders given, or of the shipped ones: each by itself, and each class compiled with the
 * facts of this host; and zulip.conf, where there is one, with the classes that it lists. What classes have to say is
 * told of these, and of those in folders that were given. Catalogs are proven where that is asked for.
 */
export async function validateAll(
  options: RoadOptions,
  { isStrict }: { readonly isStrict: boolean },
): Promise<{ readonly diagnostics: readonly Diagnostic[]; readonly summary: string }> {
  const { host, library, input, conf, misspelt } = await load({
    ...options,
    classes: ['none'],
    with: {},
  })
  const wanted = new Set(options.manifests.map((folder) => resolve(folder)))
  const isMeant = ({ manifests }: ManifestFolder) => wanted.size === 0 || wanted.has(manifests)
  const names = library.names(isMeant)
  const found: Diagnostic[] = []
  for (const name of names) {
    const manifest = library.read(name)
    if (manifest?.aliasOf !== undefined) library.find(name)
    else if (!manifest) {
      const scopes = new Scopes(library, factFields)
      scopes.bad(name)
      found.push(...scopes.diagnostics)
    } else {
      const told = checkManifest(manifest, input, isStrict)
      found.push(
        ...told.filter(({ code }) => code !== 'notice' || wanted.size > 0),
        ...incompleteNotices(manifest, library.sources),
      )
    }
  }
  const listed = listedClasses(conf)
  const { classes } = listed
  const diagnostics = unique([
    ...library.strays(isMeant),
    ...library.diagnostics,
    ...found,
    ...listed.diagnostics,
    ...(classes.length > 0 ? checkClasses({ ...input, classes, isPartial: false }, isStrict) : []),
    ...aliasNotices(classes, library),
    ...misspelt(),
  ])
  const manifests = `${names.length} ${names.length === 1 ? 'manifest' : 'manifests'}`
  const ofConf =
    classes.length === 0
      ? ''
      : ` and the ${classes.length === 1 ? 'class' : `${classes.length} classes`} that ${conf.file} lists`
  if (conf.sections().length === 0 && diagnostics.every(({ severity }) => severity !== 'error')) {
    const { paths, instead } = options
    const isThere = instead.conf !== undefined || host.stat(paths.conf) !== undefined
    diagnostics.push(nothingListed(conf.file, isThere))
  }
  return {
    diagnostics: sortByPlace(diagnostics),
    summary: `${manifests}${ofConf}, nothing wrong.`,
  }
}

/** Nothing was checked of a zulip.conf, which on a server is a surprise. */
function nothingListed(file: string, isThere: boolean): Diagnostic {
  return {
    severity: 'notice',
    code: 'notice',
    message: `${isThere ? `${file} is empty` : `there is no ${file}`}: only the manifests were checked`,
    help: '--config names another zulip.conf',
  }
}

function checkManifest(
  manifest: Manifest,
  input: CompileInput,
  isStrict: boolean,
): readonly Diagnostic[] {
  const scopes = new Scopes(input.library, factFields)
  scopes.check(manifest)
  if (scopes.diagnostics.length > 0 || manifest.kind === 'define' || manifest.steps)
    return scopes.diagnostics
  return checkClasses({ ...input, classes: [{ name: manifest.name }] }, isStrict).filter(
    ({ code, severity }) => severity !== 'error' || !HOST_CODES.has(code),
  )
}

function checkClasses(input: CompileInput, isStrict: boolean): readonly Diagnostic[] {
  const { catalog, diagnostics } = compile(input)
  return [...diagnostics, ...(isStrict && catalog ? provenOf(catalog, input.library) : [])]
}
