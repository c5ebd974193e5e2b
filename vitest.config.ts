import { defineConfig } from 'vitest/config'

const postgres = ['tests/harness/globalPostgres.ts']
/** Files one after another: time skipping and crashes are global to a server. */
const inTurn = { fileParallelism: false, sequence: { groupOrder: 1 } }
/** A machine of others may stall for longer than any wait allows. What needed it is printed (tests/harness/secondTries.ts). */
const retry = process.env.CI ? 1 : 0

export default defineConfig({
  test: {
    projects: [
      // A busy machine, not a slow test, is what takes longer than this.
      { test: { name: 'unit', include: ['tests/unit/**/*.test.ts'], testTimeout: 30_000, retry } },
      {
        test: {
          name: 'db',
          include: ['tests/db/**/*.test.ts'],
          globalSetup: postgres,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          retry,
        },
      },
      {
        test: {
          name: 'saga',
          include: ['tests/saga/**/*.test.ts'],
          globalSetup: postgres,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry,
          ...inTurn,
        },
      },
      {
        test: {
          name: 'scenario',
          include: ['tests/scenario/**/*.test.ts'],
          globalSetup: postgres,
          testTimeout: 300_000,
          hookTimeout: 180_000,
          retry,
          ...inTurn,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
