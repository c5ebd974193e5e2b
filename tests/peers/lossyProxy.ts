/** Stands between a connector and a peer: passes everything on, and loses the answers it is told to lose. */
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface LossyProxy {
  url: string
  /** The next such request is done by the peer, and its answer never arrives. */
  loseNext(method: string, pathPart: string): void
  /** How many answers were lost. */
  lost(): number
  /** Method and path of every request, in order. */
  seen: string[]
  stop(): Promise<void>
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function startLossyProxy(target: string): Promise<LossyProxy> {
  const { hostname, port } = new URL(target)
  const planned: { method: string; pathPart: string }[] = []
  const seen: string[] = []
  let lost = 0
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/'
    seen.push(`${incoming.method} ${path.split('?')[0]}`)
    const at = planned.findIndex(({ method, pathPart }) => method === incoming.method && path.includes(pathPart))
    if (at >= 0) planned.splice(at, 1)
    const pass = async () => {
      const sent = await bodyOf(incoming)
      const headers = { ...incoming.headers, host: `${hostname}:${port}` }
      const answer = await new Promise<IncomingMessage>((done, failed) => {
        const forward = request({ hostname, port, method: incoming.method, path, headers }, done)
        forward.once('error', failed)
        forward.end(sent)
      })
      const body = await bodyOf(answer)
      if (at >= 0) {
        lost += 1
        incoming.socket.destroy()
        return
      }
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, 'content-length': String(body.length) })
      outgoing.end(body)
    }
    pass().catch(() => incoming.socket.destroy()) // the peer is gone: the connector sees a broken connection
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    loseNext: (method, pathPart) => void planned.push({ method, pathPart }),
    lost: () => lost,
    seen,
    stop: () =>
      new Promise((done, failed) => {
        server.close((error) => (error ? failed(error) : done()))
        server.closeAllConnections()
      }),
  }
}
