import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { smtp } from '../../connectors/smtp/index.ts'
import { SmtpConfig } from '../../connectors/smtp/config.ts'
import { isAddress, messageId } from '../../connectors/smtp/mail.ts'
import type { ConnectorContext, Notice } from '../../connectors/kit/types.ts'
import { startSmtpServer, type TestSmtpServer } from '../harness/smtpServer.ts'

const PASSWORD = 'a very secret password'
const notice: Notice = {
  key: 'o-1-u1-p1:delivered',
  to: { email: 'chen@example.com', lineUserId: null, phone: null, name: '陳小姐' },
  template: 'delivered',
  subject: '訂單 A-1 已送達',
  text: '陳小姐 您好：\n您的訂單已送達。',
}

describe('a notice by SMTP', () => {
  let server: TestSmtpServer
  beforeEach(async () => {
    server = await startSmtpServer({ user: 'shop', password: PASSWORD })
  })
  afterEach(() => server.stop())

  const config = (change: Record<string, unknown> = {}): SmtpConfig =>
    SmtpConfig.parse({
      host: '127.0.0.1',
      port: server.port,
      security: 'none',
      user: 'shop',
      password: PASSWORD,
      from: 'shop@example.com',
      fromName: '測試商店',
      ...change,
    })
  const contextOf = (change?: Record<string, unknown>) =>
    ({
      connection: { name: 'mail', connector: 'smtp', version: 1, paused: false, config: config(change) },
    }) as ConnectorContext<SmtpConfig>
  const send = (change?: Record<string, unknown>) => smtp.notify?.send(contextOf(change), notice)
  const failure = async (work: Promise<unknown> | undefined) => {
    const error = await work?.then(
      () => expect.fail('it was sent'),
      (problem: unknown) => problem as { kind: string; code: string; message: string },
    )
    const told = JSON.stringify([error, error?.message])
    expect(told).not.toContain(PASSWORD)
    expect(told).not.toContain('chen@example.com')
    return error
  }

  it('is received with sender, recipient, words and the Message-ID of its key', async () => {
    await send()
    const [mail] = server.received
    expect(mail).toMatchObject({ from: 'shop@example.com', to: ['chen@example.com'], messageId: messageId(config(), notice.key) })
    expect(mail?.raw).toMatch(/^Subject: =\?UTF-8\?/m)
    expect(mail?.raw).toMatch(/^Auto-Submitted: auto-generated/m)
    expect(Buffer.from(mail?.raw.split('\r\n\r\n').at(-1) ?? '', 'base64').toString('utf8')).toBe(notice.text)
  })

  it('has the same Message-ID when it is sent again, another for another key', () => {
    expect(messageId(config(), 'a')).toBe(messageId(config(), 'a'))
    expect(messageId(config(), 'a')).not.toBe(messageId(config(), 'b'))
    expect(messageId(config(), 'a')).toMatch(/^<[0-9a-f]{40}@example\.com>$/)
  })

  it('of which nobody knows whether it was taken is OutcomeUnknown', async () => {
    server.loseNextAnswer()
    expect(await failure(send({ timeoutMs: 3_000 }))).toMatchObject({ kind: 'OutcomeUnknown' })
    expect(server.received).toHaveLength(1)
    await send()
    expect(server.distinct()).toBe(1)
  })

  it('is refused for good where the mail box does not exist, and for now where the server is busy', async () => {
    server.refuseNext('rcpt', 550)
    expect(await failure(send())).toMatchObject({ kind: 'Rejected', code: '550' })
    server.refuseNext('rcpt', 450)
    expect(await failure(send())).toMatchObject({ kind: 'Transient', code: '450' })
    server.refuseNext('data', 554)
    expect(await failure(send())).toMatchObject({ kind: 'Rejected', code: '554' })
    server.refuseNext('data', 451)
    expect(await failure(send())).toMatchObject({ kind: 'Transient', code: '451' })
    expect(server.received).toHaveLength(0)
  })

  it('is not sent with a wrong password, and the error has no secret', async () => {
    expect(await failure(send({ password: 'another secret' }))).toMatchObject({ kind: 'Misconfigured' })
    const checked = await smtp.check(contextOf({ password: 'another secret' }))
    expect(checked.ok).toBe(false)
    expect(JSON.stringify(checked)).not.toContain('another secret')
    expect(await smtp.check(contextOf())).toEqual({ ok: true, problems: [] })
  })

  it('waits where nobody listens', async () => {
    const { port } = server
    await server.stop()
    expect(await failure(send({ port }))).toMatchObject({ kind: 'Transient' })
    server = await startSmtpServer()
  })

  it('is not sent in the clear where TLS is wanted and the server has none', async () => {
    expect(await failure(send({ security: 'starttls' }))).toMatchObject({ kind: 'Misconfigured' })
    expect(server.received).toHaveLength(0)
  })
})

describe('the configuration of an SMTP connection', () => {
  const base = { host: 'mail.example.com', from: 'shop@example.com' }
  it('sends in the clear to this machine only', () => {
    expect(SmtpConfig.safeParse({ ...base, security: 'none' }).success).toBe(false)
    expect(SmtpConfig.safeParse({ ...base, host: '127.0.0.1', security: 'none' }).success).toBe(true)
  })
  it('has user and password together', () => {
    expect(SmtpConfig.safeParse({ ...base, user: 'shop' }).success).toBe(false)
  })
})

describe('an address', () => {
  it('is one address and nothing around it', () => {
    for (const good of ['a@example.com', 'a.b+c@mail.example.tw']) expect(isAddress(good), good).toBe(true)
    for (const bad of [
      'a',
      'a@b',
      'a@example.com, b@example.com',
      'A <a@example.com>',
      'a@example.com\r\nBcc: b@example.com',
      'a b@example.com',
    ])
      expect(isAddress(bad), bad).toBe(false)
  })
})
