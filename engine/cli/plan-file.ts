import { hash } from 'node:crypto'
import { closeSync, fchmodSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Refusal } from '../diagnostics/diagnostic.ts'
import { PLAN_FORMAT, type SavedPlan } from '../saved-plan.ts'

/** Writes a plan that only its owner can read; what was in the file goes. */
export function writePlan(file: string, plan: SavedPlan): void {
  try {
    const fd = openSync(resolve(file), 'w', 0o600)
    try {
      // One that was there may have been for others to read.
      if (fstatSync(fd).isFile()) fchmodSync(fd, 0o600)
      writeFileSync(fd, `${JSON.stringify({ ...plan, sum: sumOf(plan) }, undefined, 1)}\n`)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw refusal(`the plan can't be written: ${(error as Error).message}`)
  }
}

/** Refuses what is no saved plan, or was changed since it was saved. */
export function readPlan(file: string): SavedPlan {
  let plan: Partial<SavedPlan & { readonly sum: string }> | null
  try {
    plan = JSON.parse(readFileSync(resolve(file), 'utf8'))
  } catch (error) {
    throw refusal(`${file} can't be read as a plan: ${(error as Error).message}`)
  }
  const isWhole =
    plan?.format === PLAN_FORMAT &&
    typeof plan.salt === 'string' &&
    typeof plan.host === 'object' &&
    typeof plan.asked === 'object' &&
    typeof plan.resources === 'object' &&
    Array.isArray(plan.plan?.resources)
  if (!isWhole) throw refusal(`${file} is no plan that steward saved`)
  const { sum, ...saved } = plan as SavedPlan & { readonly sum: string }
  if (sum !== sumOf(saved)) throw refusal(`${file} was changed since steward saved it`)
  return saved
}

/** Over all of a plan, also as it is shown. */
function sumOf(plan: SavedPlan): string {
  return hash('sha256', JSON.stringify(plan))
}

function refusal(message: string): Refusal {
  const help = 'make one with: steward apply --dry-run --out FILE'
  return new Refusal({ severity: 'error', code: 'usage', message, help })
}
