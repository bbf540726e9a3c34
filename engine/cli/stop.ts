/** A request to stop, by SIGINT or SIGTERM. */
export interface Stop {
  readonly signal: AbortSignal
  /** 130 or 143, by the signal that came; 0 where none did. */
  status(): number
  /** Leaves signals alone again. */
  end(): void
}

/**
 * The first signal asks for an end after the resource in hand; the second ends
 * the process, which is safe at any instant.
 */
export function listenForStop(onFirst: (signal: NodeJS.Signals) => void): Stop {
  const controller = new AbortController()
  let status = 0
  const onSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(status)
    status = signal === 'SIGINT' ? 130 : 143
    controller.abort()
    onFirst(signal)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    status: () => status,
    end() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
