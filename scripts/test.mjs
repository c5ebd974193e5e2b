// npm test: makes the clone ready, then runs the tests. Further arguments go to vitest: npm test -- --project db
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setupOrExit, root } from './setup.mjs'

await setupOrExit({ tests: true })
const vitest = spawn(process.execPath, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
})
// The terminal sends Ctrl-C to both; vitest stops its servers first, we wait for it.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => vitest.kill('SIGTERM'))
vitest.once('exit', (code) => process.exit(code ?? 1))
