import { isSecretParameter, type Manifest } from '../load/manifest.ts'
import type { ProcedureRow } from '../record/procedures.ts'
import type { Answer } from './answer.ts'
import { newProgress, type Progress } from './progress.ts'

type Arguments = Readonly<Record<string, string>>

/** What a run was begun with, and how far it has come. */
export interface Begun {
  readonly arguments: Arguments
  readonly progress: Progress
}

/** The parts of a run that are secret, by argument and by the key of the answer. */
interface Secret {
  readonly arguments: Arguments
  readonly answers: Readonly<Record<string, Answer>>
}

/** A run as it is stored: what is secret is apart from the rest, and `null` in its place. */
export function sealed(
  { parameters }: Pick<Manifest, 'parameters'>,
  { arguments: given, progress }: Begun,
): Pick<ProcedureRow, 'arguments' | 'progress' | 'secret'> {
  const [openArguments, secretArguments] = split(given, (name) => {
    const decl = parameters[name]
    return decl !== undefined && isSecretParameter(decl)
  })
  const [answers, secretAnswers] = split(
    progress.answers,
    (key) => progress.secretAnswers[key] === true,
  )
  const secret: Secret = { arguments: secretArguments, answers: secretAnswers }
  const hasSecrets = [secretArguments, secretAnswers].some((part) => Object.keys(part).length > 0)
  return {
    arguments: openArguments,
    progress: { ...progress, answers },
    ...(hasSecrets ? { secret } : {}),
  }
}

/** A run as it was before it was stored. What is secret and was lost is absent, as if it had never been there. */
export function unsealed(row: ProcedureRow): Begun {
  const secret = (row.secret ?? { arguments: {}, answers: {} }) as Secret
  const progress = { ...newProgress(), ...(row.progress as Progress) }
  return {
    arguments: joined(row.arguments as Arguments, secret.arguments),
    progress: { ...progress, answers: joined(progress.answers, secret.answers) },
  }
}

function split<T>(
  all: Readonly<Record<string, T>>,
  isSecret: (name: string) => boolean,
): [Record<string, T | null>, Record<string, T>] {
  const open: Record<string, T | null> = {}
  const secret: Record<string, T> = {}
  for (const [name, value] of Object.entries(all)) {
    open[name] = isSecret(name) ? null : value
    if (isSecret(name)) secret[name] = value
  }
  return [open, secret]
}

function joined<T>(
  open: Readonly<Record<string, T | null>>,
  secret: Readonly<Record<string, T>>,
): Record<string, T> {
  const all: Record<string, T> = {}
  for (const [name, value] of Object.entries(open)) {
    const found = value ?? secret[name]
    if (found !== undefined) all[name] = found
  }
  return all
}
