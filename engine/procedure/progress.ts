import type { Answer } from './answer.ts'

/** How a step ended, as expressions see it under `step.ID.status`. */
export type StepStatus = 'in sync' | 'done' | 'failed'

/** How far a run of a procedure has come: stored after every step, so that a run that was cut off can go on. */
export interface Progress {
  /** By frame and name: `steps/zulip::walk[a]?pending`. */
  readonly answers: Record<string, Answer>
  /** The keys of those answers that are secret. */
  readonly secretAnswers: Record<string, true>
  /** By frame and id or title: `steps/zulip::walk[a]!migrate`. */
  readonly statuses: Record<string, StepStatus>
  /** Keys of commands outside blocks and of blocks that are done and are not repeated. */
  readonly finished: Record<string, true>
  /** The key of the block whose rescue was under way, with the steps that were to be undone by it. */
  rescuing?: string
  /** The `stepsDigest` of what was run. */
  steps?: string
}

export function newProgress(): Progress {
  return { answers: {}, secretAnswers: {}, statuses: {}, finished: {} }
}

/** Keeps the answer of a query for the steps after it. */
export function keepAnswer(
  progress: Progress,
  key: string,
  { answer, isSecret }: { readonly answer: Answer; readonly isSecret: boolean },
): void {
  progress.answers[key] = answer
  if (isSecret) progress.secretAnswers[key] = true
  else delete progress.secretAnswers[key]
}

/** Forgets all that happened below a block that is entered again. */
export function forget(progress: Progress, key: string): void {
  const { answers, secretAnswers, finished } = progress
  for (const part of [answers, secretAnswers, finished] as Record<string, unknown>[]) {
    for (const known of Object.keys(part))
      if (known.startsWith(`${key}/`) && known !== key) delete part[known]
  }
}
