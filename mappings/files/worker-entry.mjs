/** A thread starts without a TypeScript loader: this registers one and goes on in worker-main.ts. */
import { register } from 'tsx/esm/api'

register()
await import('./worker-main.ts')
