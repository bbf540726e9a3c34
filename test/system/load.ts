import type { TestHost } from './rig.ts'

/** What came of a load of requests. */
export interface Answered {
  readonly sent: number
  /** How many were answered by something else than 200, by status or error: `502`, `ECONNREFUSED`. */
  readonly lost: Readonly<Record<string, number>>
}

/** A request every so many milliseconds: 50 a second. */
const EVERY_MS = 20

// Each request has a connection of its own and is counted by how it ended; those on their way at the end are waited for.
const program = `
import { get } from 'node:https'
import { writeFileSync } from 'node:fs'
const lost = {}
let [sent, open] = [0, 0]
const send = () => {
  sent++
  open++
  let isDone = false
  const done = (answer) => {
    if (isDone) return
    isDone = true
    open--
    if (answer !== 200) lost[answer] = (lost[answer] ?? 0) + 1
  }
  const request = get(
    { host: '127.0.0.1', path: '/', headers: { Host: 'zulip.example.org' }, rejectUnauthorized: false, agent: false },
    (response) => {
      response.resume()
      response.on('end', () => done(response.statusCode)).on('error', (error) => done(error.code))
    },
  )
  request.setTimeout(30_000, () => request.destroy(new Error('timeout')))
  request.on('error', (error) => done(error.code ?? error.message))
}
const timer = setInterval(send, ${EVERY_MS})
process.on('SIGTERM', () => {
  clearInterval(timer)
  const end = () => {
    if (open > 0) return setTimeout(end, 20)
    writeFileSync('/root/load.json', JSON.stringify({ sent, lost }))
    process.exit(0)
  }
  end()
})
`

/** Does something while requests come over nginx, 50 a second, and says what became of them. */
export async function underLoad(host: TestHost, act: () => Promise<unknown>): Promise<Answered> {
  await host.writeFile('/root/load.mjs', program)
  await host.shell(
    'rm -f /root/load.json; systemd-run --quiet --unit=load /usr/lib/steward/runtime/node /root/load.mjs; sleep 1',
  )
  try {
    await act()
  } finally {
    await host.shell('sleep 1; systemctl stop load')
  }
  return JSON.parse(await host.shell('cat /root/load.json')) as Answered
}
