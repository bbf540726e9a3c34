import type { Diagnostic, Place } from '../diagnostics/diagnostic.ts'
import type { HostReader } from '../host/host.ts'
import { type ConfEntry, parseConf } from './conf.ts'
import { readTextFile } from './text-file.ts'

/** By name in lower case. The places carry no text of the file: it would show the secret. */
export type Secrets = ReadonlyMap<string, Omit<ConfEntry, 'name'>>

/** zulip-secrets.conf of the managed tree, its `[secrets]` section; empty where there is no file. */
export function readSecrets(
  host: HostReader,
  path: string,
): { readonly secrets: Secrets } | { readonly diagnostics: readonly Diagnostic[] } {
  const found = readTextFile(host, path, 'secrets-syntax')
  if (!found) return { secrets: new Map() }
  return 'diagnostics' in found ? found : parseSecrets(found.text, found.file)
}

/** Takes the format of zulip.conf. Mistakes (code secrets-syntax) are told without quoting the file. */
export function parseSecrets(
  text: string,
  file: string,
): { readonly secrets: Secrets } | { readonly diagnostics: readonly Diagnostic[] } {
  const parsed = parseConf(text, file)
  if ('diagnostics' in parsed) return { diagnostics: parsed.diagnostics.map(withoutText) }
  const entries = [...(parsed.conf.section('secrets') ?? [])].map(
    ([name, { value, place }]) => [name, { value, place: placeOnly(place) }] as const,
  )
  return { secrets: new Map(entries) }
}

function withoutText({
  severity,
  message,
  place,
  expected,
  help,
  related,
}: Diagnostic): Diagnostic {
  return {
    severity,
    code: 'secrets-syntax',
    message,
    ...(place && { place: placeOnly(place) }),
    ...(expected !== undefined && { expected }),
    ...(help !== undefined && { help }),
    ...(related && {
      related: related.map((each) => ({
        message: each.message,
        ...(each.place && { place: placeOnly(each.place) }),
      })),
    }),
  }
}

function placeOnly({ file, line, column }: Place): Place {
  return { file, line, column }
}
