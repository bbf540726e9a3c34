import { HostError } from '../host/error.ts'
import type { HostReader } from '../host/host.ts'

/** In each second. Source: proc(5), `sysconf(_SC_CLK_TCK)`, which Linux has the same everywhere. */
const ticks = 100

/**
 * When a process was started, in microseconds of the clock that only goes forward (CLOCK_MONOTONIC), never later than it
 * was; undefined where there is none of that number, or it can't be told. Source: proc(5), /proc/PID/stat and /proc/uptime.
 */
export function startedAt(pid: number, host: HostReader): number | undefined {
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined
  try {
    const running = process.uptime()
    const uptime = Number(host.read('/proc/uptime').toString().split(' ')[0])
    const now = Number(process.hrtime.bigint() / 1000n)
    // Both are cut off after a hundredth of a second.
    const ageOf = (each: number): number => uptime - startTicks(each, host) / ticks + 2 / ticks
    // In some containers (lxcfs) the one counts from the start of the container and the other from that of its host:
    // then this very process, too, seems younger than it is.
    if (ageOf(process.pid) < running) return undefined
    const age = ageOf(pid)
    return Number.isFinite(age) ? now - Math.ceil(age * 1_000_000) : undefined
  } catch (error) {
    if (error instanceof HostError) return undefined
    throw error
  }
}

function startTicks(pid: number, host: HostReader): number {
  // The second field is a name that may hold anything, parentheses too.
  const text = host.read(`/proc/${pid}/stat`).toString('latin1')
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19])
}
