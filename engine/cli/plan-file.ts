import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Refusal } from '../diagnostics/diagnostic.ts'
import type { SavedPlan } from '../saved-plan.ts'

/** Writes a plan that only its owner can read; what was in the file goes. */
export function writePlan(file: string, plan: SavedPlan): void {
  try {
    writeFileSync(resolve(file), `${JSON.stringify(plan, undefined, 1)}\n`, { mode: 0o600 })
  } catch (error) {
    throw refusal(`the plan can't be written: ${(error as Error).message}`)
  }
}

export function readPlan(file: string): SavedPlan {
  let plan: Partial<SavedPlan> | null
  try {
    plan = JSON.parse(readFileSync(resolve(file), 'utf8')) as Partial<SavedPlan> | null
  } catch (error) {
    throw refusal(`${file} can't be read as a plan: ${(error as Error).message}`)
  }
  const isWhole =
    plan?.format === 'steward plan 1' &&
    typeof plan.salt === 'string' &&
    typeof plan.resources === 'object' &&
    Array.isArray(plan.plan?.resources)
  if (!isWhole) throw refusal(`${file} is no plan that steward saved`)
  return plan as SavedPlan
}

function refusal(message: string): Refusal {
  const help = 'make one with: steward apply --dry-run --out FILE'
  return new Refusal({ severity: 'error', code: 'usage', message, help })
}
