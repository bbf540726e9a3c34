import { isSecretParameter, type Manifest } from '../load/manifest.ts'
import { SECRET } from '../redactor.ts'

/** The arguments of this command as they may be kept and shown: without the secrets that `--with` gives. */
export function shownCommandLine(
  manifest: Pick<Manifest, 'parameters'> | undefined,
  argv: readonly string[] = process.argv.slice(2),
): string[] {
  return argv.map((argument) => {
    const [, option = '', name = ''] = /^(--with=)?([^=\s]+)=/.exec(argument) ?? []
    const decl = manifest?.parameters[name]
    return decl && isSecretParameter(decl) ? `${option}${name}=${SECRET}` : argument
  })
}
