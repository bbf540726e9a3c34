import { configDefaults, defineConfig } from 'vitest/config'

const series = process.env.STEWARD_TEST_SERIES

// Started by run.ts, which has the hosts ready. Two files at a time: most of a scenario is waiting.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: [series === undefined ? '*.system.ts' : '*.series.ts'],
    // .ci/run does the same on its own machine, beside the sample.
    exclude: [
      ...configDefaults.exclude,
      ...(series === 'sample' ? ['fresh-machine.series.ts'] : []),
    ],
    maxWorkers: 2,
    testTimeout: 900_000,
    hookTimeout: 900_000,
    reporters: ['verbose', 'json'],
    outputFile: { json: process.env.STEWARD_TEST_COUNTS ?? 'tests.json' },
    disableConsoleIntercept: true,
  },
})
