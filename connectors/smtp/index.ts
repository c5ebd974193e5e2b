/** E-mail by SMTP (RFC 5321): notices to customers. The only file of this folder that does I/O; see docs/connectors/smtp.md. */
import { PassThrough } from 'node:stream'
import nodemailer from 'nodemailer'
import type SMTPTransport from 'nodemailer/lib/smtp-transport'
import { checkBy } from '../kit/call.ts'
import type { Connector, Notice } from '../kit/types.ts'
import { SmtpConfig } from './config.ts'
import { smtpError } from './errors.ts'
import { isAddress, mailOf } from './mail.ts'

export function transportOf(config: SmtpConfig): SMTPTransport.Options {
  return {
    host: config.host,
    port: config.port,
    secure: config.security === 'tls',
    requireTLS: config.security === 'starttls',
    ignoreTLS: config.security === 'none',
    ...(config.user === null || config.password === null ? {} : { auth: { user: config.user, pass: config.password } }),
    connectionTimeout: config.timeoutMs,
    greetingTimeout: config.timeoutMs,
    socketTimeout: config.timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

async function send(config: SmtpConfig, notice: Notice): Promise<void> {
  const mail = mailOf(config, notice)
  const transport = nodemailer.createTransport(transportOf(config))
  let wasSent = false
  transport.use('stream', ({ message }, next) => {
    // Passes the message on and sees its end: from then on the server may have it.
    message.transform(() => new PassThrough({ flush: (done) => ((wasSent = true), done()) }))
    next()
  })
  try {
    await transport.sendMail(mail)
  } catch (error) {
    throw smtpError(error, wasSent)
  } finally {
    transport.close()
  }
}

async function verify(config: SmtpConfig): Promise<void> {
  const transport = nodemailer.createTransport(transportOf(config))
  try {
    await transport.verify()
  } catch (error) {
    throw smtpError(error, false)
  } finally {
    transport.close()
  }
}

export const smtp: Connector<SmtpConfig> = {
  name: 'smtp',
  title: 'E-mail (SMTP)',
  kind: 'notify',
  configSchema: SmtpConfig,
  secretFields: ['password'],
  check: (ctx) => checkBy(() => verify(ctx.connection.config)),
  notify: {
    reaches: (_config: SmtpConfig, to: Notice['to']) => to.email !== null && isAddress(to.email),
    send: (ctx, notice) => send(ctx.connection.config, notice),
  },
}
