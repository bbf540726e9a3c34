import type { ClientRequest, IncomingMessage } from 'node:http'

/** What was wrong, as the end of a sentence that says what was wanted from where. */
export class FetchError extends Error {}

const mostRedirects = 5
/** Everything that servers download is far smaller, and it is held in memory. Bytes. */
const mostBytes = 1024 * 1024 * 1024

/**
 * Gets what an http or https address gives. `proxy` absent: that of steward's own environment; empty: none.
 * The time is that for everything, redirects too. Throws `FetchError`.
 */
export async function fetchUrl(
  url: string,
  { proxy, timeoutMs }: { readonly proxy: string | undefined; readonly timeoutMs: number },
): Promise<Buffer> {
  let underWay: ClientRequest | undefined
  let isOver = false
  // No signal of its own, and before anything is loaded: else Node 24.21 crashes where it started from a snapshot.
  const limit = setTimeout(() => {
    isOver = true
    underWay?.destroy()
  }, timeoutMs)
  // Many runs fetch nothing, and the snapshot that steward starts from can't hold these.
  const { Agent: HttpAgent, get: getHttp } = process.getBuiltinModule('node:http')
  const { Agent: HttpsAgent, get: getHttps } = process.getBuiltinModule('node:https')
  const proxyEnv = proxyEnvironment(proxy)
  const http = new HttpAgent({ proxyEnv })
  const https = new HttpsAgent({ proxyEnv })
  const request = (at: URL): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      underWay =
        at.protocol === 'https:'
          ? getHttps(at, { agent: https }, resolve)
          : getHttp(at, { agent: http }, resolve)
      underWay.on('error', reject)
    })
  try {
    let at = new URL(url)
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const response = await request(at)
      const { statusCode = 0, headers } = response
      if (statusCode === 200) return await readAll(response)
      response.destroy()
      const isMoved = [301, 302, 303, 307, 308].includes(statusCode)
      if (!isMoved || headers.location === undefined) {
        throw new FetchError(
          `the server answered ${statusCode} ${response.statusMessage ?? ''}`.trim(),
        )
      }
      at = new URL(headers.location, at)
      if (at.protocol !== 'https:' && at.protocol !== 'http:') {
        throw new FetchError(`it was led on to ${at.protocol}, which is neither http nor https`)
      }
    }
    throw new FetchError(`it was led on more than ${mostRedirects} times`)
  } catch (error) {
    if (error instanceof FetchError) throw error
    if (isOver) throw new FetchError(`it took longer than ${timeoutMs / 1000} s`)
    throw new FetchError(reasonOf(error), { cause: error })
  } finally {
    clearTimeout(limit)
    http.destroy()
    https.destroy()
  }
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  let held = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    held += piece.length
    if (held > mostBytes) throw new FetchError('it is larger than 1 GiB')
    pieces.push(piece)
  }
  if (!response.complete) throw new FetchError('the connection broke off before its end')
  return Buffer.concat(pieces, held)
}

/** Source: Node's documentation of `http.Agent`, `proxyEnv`. */
function proxyEnvironment(proxy: string | undefined): NodeJS.ProcessEnv {
  if (proxy === undefined) return process.env
  return proxy === '' ? {} : { http_proxy: proxy, https_proxy: proxy }
}

/** Where a name has several addresses, the message is in the errors of the single tries. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
