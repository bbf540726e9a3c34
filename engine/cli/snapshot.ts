import { startupSnapshot } from 'node:v8'
import { main } from './main.ts'

/**
 * What Node runs while the bundle is made, to keep its memory as it is at the end (`--build-snapshot`): steward
 * with everything loaded, and what most runs call compiled, by one run with the arguments of this process. That
 * run must change nothing and start no program. A steward that starts goes on at `main`.
 */
async function prepare(): Promise<void> {
  let said = ''
  const names = ['stdout', 'stderr'] as const
  const streams = names.map(
    (name) => [name, Object.getOwnPropertyDescriptor(process, name)] as const,
  )
  for (const [name] of streams) {
    const quiet = { write: (text: string) => (said += text), on: () => undefined }
    Object.defineProperty(process, name, { configurable: true, value: quiet })
  }
  // Node has this function only when it starts from the snapshot, and then can't have it twice.
  const isMissing = !('escape' in RegExp)
  if (isMissing) {
    Object.assign(RegExp, { escape: (text: string) => text.replaceAll(/\W/g, '\\$&') })
  }
  // With each of its functions, CEL keeps a closure of the first call, and by way of that everything of this run.
  Object.defineProperty(Function.prototype, '__handle', { configurable: true, set() {} })
  await main()
  Reflect.deleteProperty(Function.prototype, '__handle')
  // Of the example some resources are blocked, for its tree holds nothing.
  if (process.exitCode !== 4) throw new Error(`it can't run: ${said}`)
  process.exitCode = undefined
  said = ''
  if (isMissing) Reflect.deleteProperty(RegExp, 'escape')
  for (const [name, own] of streams) Object.defineProperty(process, name, own ?? {})
}

startupSnapshot.setDeserializeMainFunction(main)
void prepare()
