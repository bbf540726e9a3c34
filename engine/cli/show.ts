import { showPlan } from './catalog-run.ts'
import { print } from './output.ts'
import { readPlan } from './plan-file.ts'

/** `steward show FILE`: a saved plan as the dry run showed it. */
export async function run(
  flags: { readonly json?: boolean; readonly diff: boolean; readonly verbose?: boolean },
  file: string,
): Promise<number> {
  const { plan, made, host, classes } = readPlan(file)
  if (!flags.json) print(`Plan of ${made} for ${classes.join(', ')} on ${host.name}:\n`)
  showPlan(plan, flags, [])
  return 0
}
