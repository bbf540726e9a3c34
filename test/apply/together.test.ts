import { expect, test } from 'vitest'
import { types } from '../../engine/resources/index.ts'
import type { ResourceType } from '../../engine/resources/type.ts'
import { newPlace, runIn } from './run.ts'

test('what shares a transaction is asked at once, before and in it', async () => {
  const asked: string[][] = []
  const applied: string[][] = []
  const real = types.get('package') as ResourceType
  const fake: ResourceType = {
    ...real,
    probe(resources) {
      asked.push(resources.map(({ title }) => title))
      return Promise.resolve(resources.map(() => undefined))
    },
    diff: () => ({ changes: [{ attribute: 'ensure', from: 'absent', to: 'present' }] }),
    applyTogether(batch) {
      applied.push(batch.map(({ resource }) => resource.title))
      return Promise.resolve(new Map())
    },
  }
  const { outcomes } = await runIn(
    newPlace('/'),
    'class: main\nresources:\n  - package: [cron, git, jq]\n',
    { types: new Map([...types, ['package', fake]]) },
  )
  expect(asked).toEqual([
    ['cron', 'git', 'jq'],
    ['cron', 'git', 'jq'],
  ])
  expect(applied).toEqual([['cron', 'git', 'jq']])
  expect(outcomes).toEqual(['package[cron] changed', 'package[git] changed', 'package[jq] changed'])
})
