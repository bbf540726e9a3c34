import { localHost } from '../host/local.ts'
import type { RoadOptions } from '../index.ts'
import { openLibrary } from '../index.ts'
import { Store } from '../record/store.ts'
import { jsonText } from '../ui/json.ts'
import { renderTable } from '../ui/layout.ts'
import { type Deployment, readDeployments } from '../zulip/deployments.ts'
import { type CommonFlags, roadOptions } from './options.ts'
import { paintOf, print } from './output.ts'
import { whyNot } from './procedure.ts'

/** A deployment with its size, and why it can't be run instead of the current one, where it can't. */
interface Listed extends Deployment {
  readonly bytes: number | undefined
  readonly whyNot?: string
}

const NONE = 'There is no deployment on this host.'

/** `steward deployments list`. */
export async function list(flags: CommonFlags): Promise<number> {
  const options = roadOptions(flags, [], false)
  const host = localHost({ root: options.root })
  const listed: Listed[] = []
  for (const deployment of readDeployments(host)) {
    const { stdout } = await host.query(['du', '--summarize', '--block-size=1', deployment.path])
    const bytes = Number.parseInt(stdout, 10)
    const why = deployment.links.includes('current') ? undefined : await reason(options, deployment)
    listed.push({
      ...deployment,
      bytes: Number.isNaN(bytes) ? undefined : bytes,
      ...(why === undefined ? {} : { whyNot: why }),
    })
  }
  if (flags.json) print(jsonText(listed))
  else print(listed.length === 0 ? NONE : tableOf(listed))
  return 0
}

/** What a rollback would refuse it for. */
async function reason(options: RoadOptions, { path }: Deployment): Promise<string | undefined> {
  const procedure = openLibrary(options).find('zulip::rollback')
  if (!procedure?.steps) return undefined
  const store = Store.read(options.state)
  try {
    const { steps } = procedure
    return await whyNot({ ...procedure, steps }, { ...options, with: { deployment: path } }, store)
  } finally {
    store?.close()
  }
}

function tableOf(listed: readonly Listed[]): string {
  const rows = listed.map(({ path, version, made, links, bytes, whyNot: why }) => [
    path,
    version ?? 'no version',
    made ?? '',
    bytes === undefined ? '' : `${Math.round(bytes / 1_000_000)} MB`,
    links.join(', '),
    links.includes('current') ? 'runs' : why === undefined ? 'yes' : `no: ${why}`,
  ])
  return renderTable(['DEPLOYMENT', 'ZULIP', 'MADE', 'SIZE', 'IS', 'CAN BE ROLLED BACK TO'], rows)
    .map((line, index) => (index === 0 ? paintOf(process.stdout)('dim', line) : line))
    .join('\n')
}
