/** The product's HTTP server, or a bare node:http server that reads and answers: a process of its own. Prints its port. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRuntime } from '../../runtime.ts'
import { startServer } from '../../server/start.ts'
import { secretKeyFrom } from '../../store/secrets.ts'

const [which, databaseUrl = ''] = process.argv.slice(2)

async function product(): Promise<number> {
  const runtime = await createRuntime(
    // No engine: webhooks are stored and answered, the work comes later.
    {
      databaseUrl,
      temporal: { connection: { address: '127.0.0.1:1' }, namespace: 'default' },
      secretKey: secretKeyFrom('a passphrase for the benchmark'),
    },
    { logLevel: 'error' },
  )
  return (await startServer(runtime, { port: 0 })).port
}

async function bare(): Promise<number> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'text/plain; charset=utf-8')
      response.end('1|OK')
    })
  })
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening)
  })
  return (server.address() as AddressInfo).port
}

process.stdout.write(`${await (which === 'bare' ? bare() : product())}\n`)
process.stdin.on('end', () => process.exit(0)).resume()
