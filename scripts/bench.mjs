// npm run bench: makes the clone ready, then measures. Arguments: [--json] [--quick] [paths] [saga] [webhooks] [excel] [reservations]
import { setupOrExit } from './setup.mjs'

await setupOrExit({ tests: false, say: (line) => console.error(`setup: ${line}`) })
const { register } = await import('tsx/esm/api')
register()
await import('../bench/index.ts')
