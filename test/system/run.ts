/**
 * The system tests: builds what administrators install, starts the rig and runs the scenarios on it.
 *
 *   run.ts            every scenario (*.system.ts)
 *   run.ts --full     the long series (*.series.ts), every point
 *   run.ts --sample   a fixed sample of the long series
 *   --archive FILE    tests this archive instead of a fresh one
 *   --only NAME       only scenarios whose file or title contains NAME
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { truthLines, untruths } from '../truth/plan-truth.ts'
import { buildArchive } from './archive.ts'
import { missingForHosts } from './requirements.ts'
import { withRig } from './rig.ts'

const project = resolve(import.meta.dirname, '../..')

const { values: options } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    sample: { type: 'boolean', default: false },
    archive: { type: 'string' },
    only: { type: 'string' },
  },
})

try {
  process.exitCode = await main()
} catch (error) {
  // What a command printed is in the message; where this script called it helps nobody.
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function main(): Promise<number> {
  const missing = missingForHosts()
  if (missing !== undefined) throw new Error(missing)
  const archive = resolve(options.archive ?? (await buildArchive()))
  return withRig((rig) => runScenarios(archive, join(rig.folder, 'tests.json')))
}

/** The exit status of the test runner, which ends with this process. */
async function runScenarios(archive: string, counts: string): Promise<number> {
  const { full, sample, only } = options
  const truth = `${counts}.truth`
  const series = sample ? 'sample' : full ? 'full' : undefined
  const runner = spawn(
    process.execPath,
    [
      join(project, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config',
      join(import.meta.dirname, 'vitest.config.ts'),
      ...(only === undefined ? [] : filter(only)),
    ],
    {
      stdio: 'inherit',
      env: {
        ...process.env,
        STEWARD_TEST_ARCHIVE: archive,
        STEWARD_TEST_COUNTS: counts,
        STEWARD_TRUTH: truth,
        ...(series === undefined ? {} : { STEWARD_TEST_SERIES: series }),
      },
    },
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal))
  const code = await new Promise<number | null>((resolve, reject) => {
    runner.on('error', reject).on('close', resolve)
  })
  const otherwise = untruths(truth).map((text) => `otherwise: ${text}`)
  console.log(`\n${[...otherwise, ...truthLines(truth)].join('\n')}`)
  console.log(`\n${closingLine(counts, code === 0)}`)
  return code ?? 1
}

/** The same line as that of `npm test`: it never says 0 failed when something failed outside a test. */
function closingLine(counts: string, passed: boolean): string {
  const {
    numPassedTests = 0,
    numFailedTests = 0,
    numPendingTests = 0,
  } = existsSync(counts) ? (JSON.parse(readFileSync(counts, 'utf8')) as Record<string, number>) : {}
  const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : ''
  return `${numPassedTests} passed, ${Math.max(numFailedTests, passed ? 0 : 1)} failed${skipped}`
}

/** A file of that name alone, else the titles that contain it. */
function filter(only: string): string[] {
  const isFile = ['system', 'series'].some((kind) =>
    existsSync(join(import.meta.dirname, `${only}.${kind}.ts`)),
  )
  return isFile ? [only] : ['--testNamePattern', only]
}
