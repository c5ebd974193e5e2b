/** What is stored of an order, read: the vendor's words by the vendor's schema, or our own (a file mapped by its profile, the HTTP API). */
import type { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { IncomingOrder } from '../../domain/order.ts'

/** @throws OmnisagaError Invalid naming each field and the remedy; values are not repeated, they may be personal. */
export function incomingOrderOf(
  payload: Record<string, unknown>,
  identity: { channel: string; shop: string; connection: string; externalId: string },
): IncomingOrder {
  const parsed = IncomingOrder.safeParse({ ...payload, ...identity })
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(order)'}: ${issue.message}`)
  throw new OmnisagaError('Invalid', problems.join('; '), {
    code: 'order',
    remedy: 'Correct the fields named and send the order again.',
  })
}

/**
 * An order as its vendor told it. `place` is where a person finds it there, e.g. `the Seller Center`.
 * @throws OmnisagaError Invalid with the field and the remedy; values are not repeated, they may be personal.
 */
export function readOrderRecord<T>(
  schema: z.ZodType<T>,
  record: { externalId: string; payload: Record<string, unknown> },
  { vendor, place }: { vendor: string; place: string },
): T {
  const where = `${vendor} order ${record.externalId}`
  const remedy = `Look the order up in ${place}.`
  if ('lookAt' in record.payload)
    throw new OmnisagaError('Invalid', `${where}: a webhook is no order`, {
      code: 'look-at',
      remedy: 'The next pull fetches the order.',
    })
  if (typeof record.payload.failure === 'string')
    throw new OmnisagaError('Invalid', `${where}: ${record.payload.failure}`, { code: 'malformed', remedy })
  const parsed = schema.safeParse(record.payload)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = issue?.path.join('.') || 'order'
  throw new OmnisagaError('Invalid', `${where}: field ${field}: ${issue?.message}`, {
    code: field,
    remedy: `${remedy} ${field} is not as ${vendor} documents it.`,
  })
}
