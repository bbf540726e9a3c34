import { join } from 'node:path'
import type { Event, Summary } from '../../engine/events.ts'
import { localHost } from '../../engine/host/local.ts'
import type { Manifest, ResourceDecl } from '../../engine/load/manifest.ts'
import { type PlannedStep, planProcedure } from '../../engine/procedure/plan.ts'
import { newProgress, type Progress } from '../../engine/procedure/progress.ts'
import { abandonProcedure, runProcedure } from '../../engine/procedure/run.ts'
import type { ProcedureInput } from '../../engine/procedure/step.ts'
import { coverageOf } from '../../engine/record/managed.ts'
import { pastOf } from '../../engine/record/past.ts'
import { RunRecord } from '../../engine/record/run-record.ts'
import { Store } from '../../engine/record/store.ts'
import { compileInput, type Given } from '../compile/input.ts'
import { manifestFolder, temporaryFolder } from '../compile/road.ts'

/** The procedure `main` with a folder of its own on the real host: `DIR` in its texts. */
export interface Procedure {
  readonly folder: string
  /** What was last made durable: what a run that follows a kill starts from. */
  progress: Progress
  plan(): Promise<string[]>
  run(options?: RunOptions): Promise<Walked>
  abandon(): Promise<Walked>
}

interface RunOptions {
  /** The run is cut off, as by a kill, when it has told so many events. */
  readonly killAfter?: number
  readonly onEvent?: (event: Event, stop: () => void) => void
}

export interface Walked {
  /** `done exec[a]`, for each step that ended. */
  readonly steps: readonly string[]
  readonly events: readonly Event[]
  /** Absent where it was cut off. */
  readonly summary: Summary | undefined
}

/**
 * A procedure from its text (the class `main`), or from texts by path. `DIR` stands for its folder on the host.
 */
export function procedureOf(
  texts: string | Readonly<Record<string, string>>,
  given: Given = {},
): Procedure {
  const folder = temporaryFolder()
  const files = Object.entries(typeof texts === 'string' ? { 'main.yaml': texts } : texts)
  const manifests = manifestFolder(
    Object.fromEntries(files.map(([path, text]) => [path, text.replaceAll('DIR', folder)])),
  )
  const state = temporaryFolder()
  const host = localHost()

  const inputOf = async (progress: Progress, store?: Store): Promise<ProcedureInput> => {
    const { library } = await compileInput(manifests, given)
    const manifest = library.find('main') as Manifest & { readonly steps: readonly ResourceDecl[] }
    if (!manifest) throw new Error(library.diagnostics.map((each) => each.message).join('\n'))
    return {
      name: 'main',
      steps: manifest.steps,
      progress,
      past: (fresh) => pastOf(store, {}, fresh),
      reload: async (other) => ({
        host,
        settings: {},
        coverage: coverageOf([], []),

        input: await compileInput(
          other?.manifests[0] ?? manifests,
          other ? { ...given, with: {}, classes: other.classes } : given,
        ),
      }),
    }
  }

  const walk = async (
    how: typeof runProcedure,
    procedure: Procedure,
    { killAfter = Number.POSITIVE_INFINITY, onEvent }: RunOptions,
  ): Promise<Walked> => {
    const store = Store.open(state)
    try {
      const record = new RunRecord(store, {
        command: [],
        classes: ['main'],
        isSensitive: () => false,
      })
      const progress = structuredClone(procedure.progress)
      const controller = new AbortController()
      const events: Event[] = []
      const running = how({
        ...(await inputOf(progress, store)),
        run: record.id,
        keeper: record,
        stop: controller.signal,
        save: () => {
          procedure.progress = structuredClone(progress)
        },
      })
      for (;;) {
        if (events.length >= killAfter)
          return { steps: stepsOf(events), events, summary: undefined }
        const next = await running.next()
        if (next.done) return { steps: stepsOf(events), events, summary: next.value }
        record.take(next.value)
        events.push(next.value)
        onEvent?.(next.value, () => controller.abort())
      }
    } finally {
      store.close()
    }
  }

  const procedure: Procedure = {
    folder,
    progress: newProgress(),
    async plan() {
      const steps = await planProcedure(await inputOf(structuredClone(procedure.progress)))
      return steps.map((step) => `${'  '.repeat(step.depth)}${stateOf(step)}`)
    },
    run: (options = {}) => walk(runProcedure, procedure, options),
    abandon: () => walk(abandonProcedure, procedure, {}),
  }
  return procedure
}

const stepsOf = (events: readonly Event[]): string[] =>
  events.flatMap((event) =>
    event.type === 'step_finished' ? [`${event.status} ${event.title}`] : [],
  )

function stateOf({ type, title, state, note }: PlannedStep): string {
  const name = `${type}[${title}]`
  const more = note === undefined ? '' : ` (${note})`
  switch (state.kind) {
    case 'later':
      return `${name} later: ${state.decides} on ${state.on}${more}`
    case 'fails':
      return `${name} fails: ${state.message}${more}`
    case 'would':
      return `${name} would ${state.plan?.resources.map(({ action, ref }) => `${action} ${ref}`).join(', ')}${more}`
    case 'asked':
      return `${name} asked: ${state.answer}${more}`
    case 'begins':
    case 'in sync':
    case 'left out':
    case 'done before':
    case 'not asked':
      return `${name} ${state.kind}${more}`
  }
}

/** The path of a file of the procedure. */
export const inFolder = ({ folder }: Procedure, name: string): string => join(folder, name)
