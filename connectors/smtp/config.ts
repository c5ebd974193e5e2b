/** What an SMTP connection is configured with. */
import { z } from 'zod'

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

export const SmtpConfig = z
  .strictObject({
    host: z.string().min(1).describe('The mail server'),
    port: z.int().min(1).max(65_535).default(587).describe('587 for STARTTLS, 465 for TLS from the start'),
    security: z
      .enum(['starttls', 'tls', 'none'])
      .default('starttls')
      .describe('`none` sends in the clear: only to a server on this machine'),
    user: z.string().min(1).nullable().default(null).describe('The account; null for a server that asks for none'),
    password: z.string().min(1).nullable().default(null).describe('Its password'),
    from: z.email().describe('The sender; its domain is also that of the Message-ID'),
    fromName: z.string().min(1).max(100).nullable().default(null).describe("The sender's name as customers read it"),
    replyTo: z.email().nullable().default(null).describe('Where answers go'),
    timeoutMs: z.int().positive().max(300_000).default(20_000).describe('How long the server may keep silent'),
    priority: z.number().default(20).describe('Which way customers are told first: lower is earlier'),
    channels: z.array(z.string().min(1)).optional().describe('Sales channels whose customers are told; absent: all'),
  })
  .refine(({ security, host }) => security !== 'none' || LOOPBACK.has(host), {
    path: ['security'],
    message: '`none` is for a server on this machine only: use starttls or tls',
  })
  .refine(({ user, password }) => (user === null) === (password === null), {
    path: ['password'],
    message: 'user and password come together',
  })
export type SmtpConfig = z.infer<typeof SmtpConfig>
