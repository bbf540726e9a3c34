import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    exclude: ['test/system/**'],
    // Most of a test is waiting for a program that it started.
    maxWorkers: '100%',
    testTimeout: 60_000,
    restoreMocks: true,
  },
})
