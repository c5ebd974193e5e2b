/** A real SMTP server on this machine, by the package smtp-server: AUTH, refusals, and answers that never come. */
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export interface ReceivedMail {
  from: string
  to: string[]
  messageId: string
  /** The whole message as it came. */
  raw: string
}
export interface TestSmtpServer {
  port: number
  /** Every message that was taken, repeats too. */
  received: ReceivedMail[]
  /** Different Message-IDs. */
  distinct(): number
  /** The next message is taken and never answered. */
  loseNextAnswer(): void
  /** The next recipients or messages are answered like this; then all is well again. */
  refuseNext(at: 'rcpt' | 'data', responseCode: number, times?: number): void
  stop(): Promise<void>
}

export async function startSmtpServer(
  options: { user?: string; password?: string; secure?: boolean; port?: number } = {},
): Promise<TestSmtpServer> {
  const received: ReceivedMail[] = []
  let isLost = false
  const refusals: { at: 'rcpt' | 'data'; responseCode: number }[] = []
  const refusal = (at: 'rcpt' | 'data', about: string): Error | null => {
    if (refusals[0]?.at !== at) return null
    const { responseCode } = refusals.shift() ?? { responseCode: 550 }
    // Servers repeat what they were told: it must not get into any error of ours.
    return Object.assign(new Error(`5.1.1 <${about}>: refused`), { responseCode })
  }
  const server = new SMTPServer({
    authOptional: options.user === undefined,
    // Without a certificate: TLS is left to its own test.
    hideSTARTTLS: !options.secure,
    allowInsecureAuth: true,
    disabledCommands: options.user === undefined ? ['AUTH'] : [],
    logger: false,
    onAuth({ username, password }, _session, done) {
      if (username === options.user && password === options.password) return done(null, { user: username })
      return done(Object.assign(new Error(`Invalid login for ${username}`), { responseCode: 535 }))
    },
    onRcptTo: ({ address }, _session, done) => done(refusal('rcpt', address)),
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address)
        const refused = refusal('data', to.join(','))
        if (refused) return done(refused)
        const raw = Buffer.concat(chunks).toString('utf8')
        const from = session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address
        received.push({ from, to, raw, messageId: /^Message-ID: (.*)$/im.exec(raw)?.[1] ?? '' })
        if (isLost) {
          isLost = false
          return undefined
        }
        return done()
      })
    },
  })
  server.on('error', () => undefined) // a client that goes away is what the tests do
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    distinct: () => new Set(received.map(({ messageId }) => messageId)).size,
    loseNextAnswer: () => {
      isLost = true
    },
    refuseNext: (at, responseCode, times = 1) => {
      refusals.push(...Array.from({ length: times }, () => ({ at, responseCode })))
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
  }
}
