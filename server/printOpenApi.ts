/** Writes openapi.json: `npx tsx server/printOpenApi.ts > openapi.json` */
import { buildOpenApi } from './openapi.ts'
import { routes } from './routes.ts'

process.stdout.write(`${JSON.stringify(buildOpenApi(routes), null, 2)}\n`)
