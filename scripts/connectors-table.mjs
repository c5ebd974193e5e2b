// Writes docs/connectors.md and the configuration tables of docs/connectors/*.md from what the acceptance suite sees.
import { spawnSync } from 'node:child_process'
import { root, setupOrExit } from './setup.mjs'

await setupOrExit({ tests: true })
const { status } = spawnSync(process.execPath, ['--import', 'tsx', 'tests/acceptance/writeTable.ts'], {
  cwd: root,
  stdio: 'inherit',
})
process.exit(status ?? 1)
