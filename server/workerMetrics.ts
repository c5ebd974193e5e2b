/** The measures of a worker that runs apart: its calls to other systems, for a collector on the same machine. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { callMeter } from '../connectors/kit/meter.ts'
import { callLines } from './metrics.ts'

/** Loopback only: it asks for no key. `port` 0: any free one. */
export async function serveWorkerMetrics(port: number): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    const known = request.method === 'GET' && request.url === '/metrics'
    response.writeHead(known ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(known ? `${callLines(callMeter).join('\n')}\n` : 'GET /metrics\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
