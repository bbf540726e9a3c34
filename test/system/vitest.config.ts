import { defineConfig } from 'vitest/config'

// Started by run.ts, which has the hosts ready. Two files at a time: most of a scenario is waiting.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: [process.env.STEWARD_TEST_SERIES === undefined ? '*.system.ts' : '*.series.ts'],
    maxWorkers: 2,
    testTimeout: 900_000,
    hookTimeout: 900_000,
    reporters: ['verbose', 'json'],
    outputFile: { json: process.env.STEWARD_TEST_COUNTS ?? 'tests.json' },
    disableConsoleIntercept: true,
  },
})
