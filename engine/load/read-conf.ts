import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { HostReader } from '../host/host.ts'
import { type Conf, parseConf } from './conf.ts'
import { readTextFile, shownPath } from './text-file.ts'

/** zulip.conf of the managed tree. Without the file `conf` is empty and `exists` false. */
export function readConf(
  host: HostReader,
  path: string,
):
  | { readonly conf: Conf; readonly exists: boolean }
  | { readonly diagnostics: readonly Diagnostic[] } {
  const found = readTextFile(host, path, 'conf-syntax') ?? { text: '', file: shownPath(host, path) }
  if ('diagnostics' in found) return found
  const parsed = parseConf(found.text, found.file)
  return 'diagnostics' in parsed ? parsed : { conf: parsed.conf, exists: 'trace' in found }
}
