import { trip } from './trip.ts'

/**
 * A run that is killed (SIGKILL, as by `kill -9`) just before its Nth call of the host that
 * writes, or of the record. Prints how many calls there were where it is not killed.
 * Started by runKilledAt: FOLDER ROOT STATE N; with FORGETS behind that, the record never learns who listens.
 */
const [folder = '', root = '', state = '', killAt = '0', forgets] = process.argv.slice(2)
let calls = 0

/** An object whose methods of these names count as points at which the process may die. */
function mortal<T extends object>(of: T, names: readonly (keyof T)[]): T {
  return new Proxy(of, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (names.includes(name as keyof T) && ++calls === Number(killAt))
          process.kill(process.pid, 'SIGKILL')
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
}

const { summary } = await trip({ root, state }, folder, {
  host: (host) =>
    mortal({ ...host }, [
      'writeFile',
      'makeDirectory',
      'makeLink',
      'setMode',
      'setOwner',
      'remove',
      'sync',
      'run',
    ]),
  keeper: (record) => {
    const names = ['intend', 'unchanged', 'paid', 'keep', 'wrote', 'settle'] as const
    const keeper = mortal(record, names)
    if (!forgets) return keeper
    const intend: typeof keeper.intend = (resources) =>
      keeper.intend(resources.map((each) => ({ ...each, listeners: [] })))
    return new Proxy(keeper, {
      get: (target, name) => (name === 'intend' ? intend : Reflect.get(target, name)),
    })
  },
})
process.stdout.write(`${calls} ${summary.status}\n`)
