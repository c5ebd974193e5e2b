/** A notice as a mail. */
import type { SendMailOptions } from 'nodemailer'
import { OmnisagaError } from '../../domain/errors.ts'
import { digest } from '../kit/signature.ts'
import type { Notice } from '../kit/types.ts'
import type { SmtpConfig } from './config.ts'

/** One address and nothing around it; whether it exists only its server knows. */
export const isAddress = (text: string): boolean => /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+\.[^\s@<>,;:"()[\]\\]+$/.test(text)

/** RFC 5322 §3.6.4: the same notice has the same id, by which mail boxes that look know a repeat. */
export const messageId = (config: SmtpConfig, key: string): string =>
  `<${digest('sha256', key, 'hex').slice(0, 40)}@${config.from.split('@').at(-1)}>`

/** @throws Invalid: the customer has no usable address. */
export function mailOf(config: SmtpConfig, notice: Notice): SendMailOptions {
  const { email, name } = notice.to
  if (email === null || !isAddress(email))
    throw new OmnisagaError('Invalid', 'the customer has no e-mail address', { code: 'to' })
  return {
    from: config.fromName === null ? config.from : { name: config.fromName, address: config.from },
    to: name === null ? email : { name, address: email },
    ...(config.replyTo === null ? {} : { replyTo: config.replyTo }),
    subject: notice.subject,
    text: notice.text,
    messageId: messageId(config, notice.key),
    headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834 §5: no out-of-office answers
  }
}
