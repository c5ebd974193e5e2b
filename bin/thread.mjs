// Start of a worker thread whose code is TypeScript, since a thread does not inherit the loader:
//   new Worker(new URL('../bin/thread.mjs', import.meta.url), { workerData: { module: new URL('./work.ts', import.meta.url).href, … } })
import { workerData } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

register()
await import(workerData.module)
