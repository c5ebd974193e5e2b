/** Sends requests over kept-alive connections, one under way on each, as cheaply as it can be done: ready-made bytes over sockets. */
import { connect, type Socket } from 'node:net'

const ANSWER = Buffer.from('1|OK')

/** @returns requests a second. @throws when an answer is not `200` with `1|OK`. */
export async function sendAll(port: number, requests: Buffer[], connections: number): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)))
  const began = performance.now()
  let next = 0
  try {
    await Promise.all(
      sockets.map(async (socket) => {
        for (let request = requests[next++]; request !== undefined; request = requests[next++]) await exchange(socket, request)
      }),
    )
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  return requests.length / ((performance.now() - began) / 1000)
}

const open = (port: number) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.setNoDelay(true)))
    socket.once('error', reject)
  })

function exchange(socket: Socket, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let read: Buffer = Buffer.alloc(0)
    const settle = (error?: Error) => {
      socket.removeAllListeners('data').removeAllListeners('close')
      if (error) reject(error)
      else resolve()
    }
    socket.on('data', (part: Buffer) => {
      read = read.length === 0 ? part : Buffer.concat([read, part])
      const bodyAt = read.indexOf('\r\n\r\n')
      if (bodyAt < 0 || read.length - bodyAt - 4 < ANSWER.length) return
      const good = read.subarray(0, 12).equals(Buffer.from('HTTP/1.1 200')) && read.includes(ANSWER, bodyAt)
      settle(good ? undefined : new Error(`answered ${read.toString('utf8')}`))
    })
    socket.on('close', () => settle(new Error('the server closed the connection')))
    socket.write(request)
  })
}

export function httpPost(path: string, contentType: string, body: string): Buffer {
  const bytes = Buffer.from(body)
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${contentType}\r\ncontent-length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}
