import { expect, test } from 'vitest'
import { newPlace, runIn } from './run.ts'

test('what is changed was meant, also behind more skipped resources than are meant at once', async () => {
  const meant = new Set<string>()
  const { outcomes } = await runIn(
    newPlace(),
    `class: main
resources:
  - file: /fails
    content: x
    id: first
  - file: /skipped-\${{ each.value }}
    for_each: \${{ range(0, 600).map(i, string(i)) }}
    content: x
    require: first
  - file: /last
    content: x
`,
    {
      host: (host) => ({
        ...host,
        writeFile(path, content, how) {
          if (path === '/fails') throw Object.assign(new Error('no'), { syscall: 'write' })
          host.writeFile(path, content, how)
        },
      }),
      keeper: (record) => ({
        intend: (resources) => {
          for (const { ref } of resources) meant.add(ref)
          record.intend(resources)
        },
        adopt: (...args) => record.adopt(...args),
        unchanged: (ref) => record.unchanged(ref),
        paid: (ref) => record.paid(ref),
        keep: (ref, kept) => record.keep(ref, kept),
        wrote: (...args) => record.wrote(...args),
        gave: (...args) => record.gave(...args),
        linked: (...args) => record.linked(...args),
        removed: (path) => record.removed(path),
        tookBack: (...args) => record.tookBack(...args),
        mark: () => record.mark(),
        keptOf: (refs) => record.keptOf(refs),
        wroteBack: (path) => record.wroteBack(path),
        settle: () => record.settle(),
      }),
    },
  )
  expect(outcomes.at(-1)).toBe('file[/last] changed')
  expect(meant).toContain('file[/last]')
})
