/**
 * `npm test`: the bundle, types, format and lint, dead code, tests. All of them run whatever fails, two at a time, and
 * the output of each comes in one piece under its own heading, the tests' last.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { truthLines } from '../test/truth/plan-truth.ts'

interface Check {
  readonly name: string
  /** What the pinned Node is run with; paths from the project's folder. */
  readonly argv: readonly string[]
}
interface Finished {
  readonly check: Check
  readonly passed: boolean
  readonly output: string
  readonly seconds: number
}
/** What vitest's JSON report says of a whole run. */
interface TestCounts {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
}

const project = join(import.meta.dirname, '..')
const scratch = mkdtempSync(join(tmpdir(), 'steward-check-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const report = join(scratch, 'tests.json')
const truth = join(scratch, 'truth')
process.env.STEWARD_TRUTH = truth

/** First: the tests of the command line run what it makes, five times as fast as the sources. */
const build: Check = { name: 'build', argv: ['scripts/build.ts'] }
const checks: readonly Check[] = [
  { name: 'types', argv: ['node_modules/typescript/bin/tsc'] },
  { name: 'format and lint', argv: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'] },
  { name: 'lint with types', argv: ['node_modules/oxlint/bin/oxlint', '--type-aware'] },
  { name: 'dead code', argv: ['node_modules/knip/bin/knip.js'] },
]
const tests: Check = {
  name: 'tests',
  argv: [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ],
}

function run(check: Check): Promise<Finished> {
  const begun = performance.now()
  const { promise, resolve, reject } = Promise.withResolvers<Finished>()
  const child = spawn(process.execPath, check.argv, {
    cwd: project,
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  child.stderr.on('data', (piece: Buffer) => pieces.push(piece))
  child.on('error', reject)
  child.on('close', (code) => {
    const output = Buffer.concat(pieces).toString()
    resolve({ check, passed: code === 0, output, seconds: (performance.now() - begun) / 1000 })
  })
  return promise
}

/** Runs them in the order given, at most `width` at once. */
async function runAll(queue: readonly Check[], width: number): Promise<Finished[]> {
  const waiting = [...queue]
  const finished: Finished[] = []
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const result = await run(check)
      if (check !== tests) show(result)
      finished.push(result)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return finished
}

function show({ check, output }: Finished): void {
  const text = output.replace(/^JSON report written to .*$/m, '').trim()
  console.log(`\n== ${check.name}\n${text || 'nothing found'}`)
}

function counts(): TestCounts | undefined {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as TestCounts
  } catch {
    return undefined // vitest ended before it could write one: its output says why
  }
}

const [built] = await runAll([build], 1)
if (built?.passed) process.env.STEWARD_IS_BUILT = '1'
const others = await runAll([...checks, tests], Math.min(2, availableParallelism()))
const finished = [...(built ? [built] : []), ...others]
const tested = finished.find(({ check }) => check === tests)
if (tested === undefined) throw new Error('The tests did not run.')

console.log('\n== summary')
for (const { check, passed, seconds } of finished) {
  console.log(`${passed ? 'passed' : 'FAILED'}  ${check.name}, ${seconds.toFixed(1)} s`)
}
show(tested)
console.log(`\n${truthLines(truth).join('\n')}`)

const count = counts()
// A check that fails counts as one failed test, so that the line below never says 0 when something failed.
const failedTests = count?.numFailedTests ?? 0
const failed =
  finished.filter(({ check, passed }) => !passed && check !== tests).length +
  (tested.passed ? 0 : Math.max(1, failedTests))
const skipped = (count?.numPendingTests ?? 0) + (count?.numTodoTests ?? 0)
console.log(
  `\n${count?.numPassedTests ?? 0} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
)
process.exitCode = failed > 0 ? 1 : 0
