import type { TestHost } from './rig.ts'

/** What the miniature release answers to `path` over nginx, as `curl` with these arguments asks; the body. */
export function ask(host: TestHost, path: string, ...args: readonly string[]): Promise<string> {
  const quoted = args.map((arg) => `'${arg}'`).join(' ')
  return host.shell(
    `curl -sS -k --fail-with-body --resolve zulip.example.org:443:127.0.0.1 ${quoted} 'https://zulip.example.org${path}'`,
  )
}

/** What every program says of itself: the version of the tree that it was loaded from, and its process number. */
interface Loaded {
  readonly program: string
  readonly version: string
  readonly tree: string
  readonly pid: number
}

/** The programs of the miniature release by name, as they run now; who does not run is missing. */
export async function loadedPrograms(host: TestHost): Promise<Map<string, Loaded>> {
  const web = await Promise.all([
    ask(host, '/').catch(() => ''),
    ask(host, '/json/events').catch(() => ''),
  ])
  const stats = await host.shell(
    'for file in /var/log/zulip/queue_stats/*.stats; do cat "$file"; echo; done',
  )
  const delivered = await host.shell(
    'for job in emails messages; do grep " runs from " /var/log/zulip/events_deliver_scheduled_$job.log | tail -n 1; done',
  )
  const told = stats
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Loaded)
  for (const [, program = '', version = '', tree = '', pid] of delivered.matchAll(
    /^(\S+) of (\S+) runs from (\S+) as (\d+)$/gm,
  ))
    told.push({ program, version, tree, pid: Number(pid) })
  // What is written in a file may be older than the process.
  const alive = await host.shell(
    `for pid in ${told.map(({ pid }) => pid).join(' ')}; do [ ! -e /proc/$pid ] || echo $pid; done`,
  )
  const running = new Set(alive.trim().split('\n').map(Number))
  const answered = web.filter((body) => body !== '').map((body) => JSON.parse(body) as Loaded)
  const said = [...answered, ...told.filter(({ pid }) => running.has(pid))]
  return new Map(said.map((each) => [each.program, each]))
}
