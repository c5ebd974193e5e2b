/** The live systems: run by `npm run test:peers` alone, one file after another. */
import { defineConfig } from 'vitest/config'
import { root } from '../harness/paths.ts'

export default defineConfig({
  test: {
    root,
    name: 'peers',
    include: ['tests/peers/*.peer.test.ts'],
    globalSetup: ['tests/harness/globalPostgres.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 1_800_000,
  },
})
