import { posix } from 'node:path'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { HostError } from '../host/error.ts'
import type { CommandResult, HostReader } from '../host/host.ts'
import { tracePath, whyUntrusted } from '../host/trust.ts'
import { type ParsedText, parseJson, parseYamlFacts } from './parse.ts'
import { faultOf, isMap } from './plain.ts'
import type { FactMap, FactValue } from './schema.ts'

const timeoutMs = 10_000

interface SiteFacts {
  readonly site: FactMap
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * The facts of a site. Each file in the folder holds a map of names and values: `*.json`, `*.yaml`, `*.yml`, or
 * an executable that prints JSON within 10 s. Names that begin with a dot, or end in `~`, are passed over. A
 * missing folder is an empty one. Refused (fact-file): what others than root and whoever runs steward could
 * have written, a name that two files give, null, and numbers that lose digits.
 */
export async function readSiteFacts(host: HostReader, folder: string): Promise<SiteFacts> {
  const trace = tracePath(host, folder)
  if (!trace.stat) return { site: {}, diagnostics: [] }
  const why = whyUntrusted(trace)
  if (why !== undefined) return { site: {}, diagnostics: [untrusted(folder, why)] }
  const names = host.list(trace.path).filter((name) => !name.startsWith('.') && !name.endsWith('~'))
  const results = await Promise.all(names.map((name) => readFile(host, posix.join(folder, name))))
  return united(results)
}

interface FileFacts {
  readonly file: string
  readonly values: ReadonlyMap<string, FactValue>
  readonly diagnostics: readonly Diagnostic[]
}

async function readFile(host: HostReader, file: string): Promise<FileFacts> {
  const nothing = (diagnostic: Diagnostic): FileFacts => ({
    file,
    values: new Map(),
    diagnostics: [diagnostic],
  })
  try {
    const trace = tracePath(host, file)
    const why = whyUntrusted(trace)
    if (why !== undefined) return nothing(untrusted(file, why))
    const { path, stat } = trace
    const text = () => host.read(path).toString('utf8')
    if (file.endsWith('.json')) return await check(parseJson(text(), file), file)
    if (/\.ya?ml$/.test(file)) return await check(await parseYamlFacts(text(), file), file)
    if (stat?.kind !== 'file' || (stat.mode & 0o111) === 0) return nothing(noFactFile(file))
    if (host.cannotRun !== undefined) return nothing(notRun(file, host.cannotRun))
    const result = await host.query([path], { timeoutMs })
    if (result.exitCode !== 0 || result.timedOut) return nothing(failed(file, result))
    return await check(parseJson(result.stdout, file), file, 'without places')
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return nothing(unreadable(file, error))
  }
}

/** What an executable prints has no place in a file. */
async function check(
  parsed: ParsedText,
  file: string,
  places?: 'without places',
): Promise<FileFacts> {
  const diagnostics: Diagnostic[] = []
  const values = new Map<string, FactValue>()
  if ('error' in parsed) {
    const { error, place } = parsed
    diagnostics.push({ ...refused(file, error), ...(places ? {} : { place }) })
    return { file, values, diagnostics }
  }
  if (!isMap(parsed.value)) {
    diagnostics.push({
      ...refused(file, 'it is no map of names and values'),
      expected: 'such as {"rack": "b7"}',
      found: JSON.stringify(parsed.value),
    })
    return { file, values, diagnostics }
  }
  for (const [name, value] of Object.entries(parsed.value)) {
    const fault = /^[A-Za-z][A-Za-z0-9_]*$/.test(name)
      ? faultOf(value, [name])
      : { path: [name], expected: 'a name of letters, digits and "_"', found: name }
    if (!fault) {
      values.set(name, value as FactValue)
      continue
    }
    const { path, expected, found } = fault
    const place = places ? undefined : await parsed.findKey(path)
    const key = path.join('.')
    const help = `correct or remove ${key} in ${file}`
    diagnostics.push({
      ...refused(file, `${key} can't be a fact`),
      ...(place && { place }),
      expected,
      found,
      help,
    })
  }
  return { file, values, diagnostics }
}

function united(files: readonly FileFacts[]): SiteFacts {
  const site = new Map<string, { readonly value: FactValue; readonly file: string }>()
  const diagnostics: Diagnostic[] = []
  for (const { file, values, diagnostics: own } of files) {
    diagnostics.push(...own)
    for (const [name, value] of values) {
      const first = site.get(name)
      if (first) diagnostics.push(repeated(name, first.file, file))
      else site.set(name, { value, file })
    }
  }
  return {
    site: Object.fromEntries([...site].map(([name, { value }]) => [name, value])),
    diagnostics,
  }
}

function refused(file: string, why: string): Diagnostic {
  return {
    severity: 'error',
    code: 'fact-file',
    message: `the fact file ${file} is refused: ${why}`,
    help: `correct ${file}, or remove it`,
  }
}

function untrusted(path: string, why: string): Diagnostic {
  return {
    ...refused(path, "it could be somebody else's words"),
    expected: 'files and folders that only root can write',
    found: why,
    help: 'let root own it and take the right to write from others (chown root, chmod go-w), after reading it',
  }
}

function noFactFile(file: string): Diagnostic {
  return {
    ...refused(file, 'it is neither data nor an executable'),
    expected: 'a name that ends in .json, .yaml or .yml, or an executable file',
    help: `rename ${file}, make it executable, or move it elsewhere`,
  }
}

function notRun(file: string, why: string): Diagnostic {
  return {
    severity: 'warning',
    code: 'fact-file',
    message: `the facts of ${file} are missing, for it can't be run: ${why}`,
    help: 'give these facts in a .json or .yaml file',
  }
}

function failed(
  file: string,
  { argv, exitCode, signal, timedOut, startError, stderr }: CommandResult,
): Diagnostic {
  const ended =
    startError ?? (signal === undefined ? `exit code ${exitCode}` : `ended by ${signal}`)
  const exit = timedOut ? `not done after ${timeoutMs / 1000} s` : ended
  return {
    ...refused(file, 'it failed'),
    ran: { argv, exit, output: stderr.split('\n').slice(-20).join('\n') },
    help: `run it by hand to see why: ${file}`,
  }
}

function unreadable(file: string, error: HostError): Diagnostic {
  return {
    ...refused(file, "it can't be read"),
    found: error.message,
    ...(error.code === 'EACCES' && { help: 'run steward as root' }),
  }
}

function repeated(name: string, first: string, second: string): Diagnostic {
  return {
    ...refused(second, `${first} gives ${name} too`),
    expected: 'each fact from one file',
    help: `remove ${name} from one of the two`,
  }
}
