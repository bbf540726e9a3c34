import type { TestHost } from './rig.ts'

/** What systemd did to a unit: `{ unit: 'nginx.service', job: 'restart' }`. */
export interface UnitJob {
  readonly unit: string
  readonly job: string
}

/**
 * Runs the body and gives the jobs that systemd finished meanwhile, in their order, as its own journal
 * tells them; a restart ends with a start.
 */
export async function jobsDuring(host: TestHost, body: () => Promise<unknown>): Promise<UnitJob[]> {
  const cursor = await host.shell(
    "journalctl --quiet --lines=0 --show-cursor | sed -n 's/^-- cursor: //p'",
  )
  await body()
  const lines = await host.shell(
    `journalctl --sync; journalctl --quiet --output=json --after-cursor='${cursor.trim()}' JOB_RESULT=done || true`,
  )
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { UNIT: string; JOB_TYPE: string })
    .map(({ UNIT, JOB_TYPE }) => ({ unit: UNIT, job: JOB_TYPE }))
}
