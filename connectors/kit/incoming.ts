/** Orders that reach us already in our own words (a file mapped by its profile, the HTTP API): only the identity is set here. */
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
