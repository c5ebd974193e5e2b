// npm start: makes the clone ready, then runs everything on this machine with a day of orders. Further arguments go to `omnisaga up`.
import { setupOrExit, root } from './setup.mjs'
import { join } from 'node:path'

await setupOrExit()
process.argv.splice(1, 1, join(root, 'bin', 'omnisaga.mjs'), 'up', '--demo')
await import('../bin/omnisaga.mjs')
