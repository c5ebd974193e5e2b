/** Refunds: money alone, to the payments that it came from. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import { digest } from '../kit/signature.ts'
import { keyIn, withKey } from '../kit/refundKeys.ts'
import type { RefundRequest } from '../kit/types.ts'
import { ask, gid, numberOf, type GraphqlCall, type ShopifyContext } from './api.ts'
import type { ShopifyConfig } from './config.ts'
import { amountText, minorOf } from './order.ts'
import { done, mutation, notThere, query } from './writeback.ts'

/** Beyond it a look-up would not see all there is, and refuses. */
const MAX_REFUNDS = 50

const Transaction = z.object({
  id: z.string(),
  kind: z.string(),
  status: z.string(),
  gateway: z.string().nullish(),
  parentTransaction: z.object({ id: z.string() }).nullish(),
  amountSet: z.object({ shopMoney: z.object({ amount: z.string(), currencyCode: z.string() }) }),
})
const Paid = z.object({
  currencyCode: z.string(),
  transactions: z.array(Transaction),
  refunds: z.array(z.object({ id: z.string(), note: z.string().nullish() })),
})
export type Paid = z.infer<typeof Paid>
export const paidRequest = (externalId: string): GraphqlCall =>
  query(
    'orderPaid',
    `($id: ID!) { order(id: $id) { currencyCode refunds(first: ${MAX_REFUNDS}) { id note }
  transactions(first: 100) { id kind status gateway parentTransaction { id } amountSet { shopMoney { amount currencyCode } } } } }`,
    { id: gid('Order', externalId) },
  )

export interface RefundPart {
  parentId: string
  gateway: string
  amountMinor: number
}
/** From which payments an amount can go back, oldest first; null: they do not hold so much. */
export function refundParts(paid: Paid, amountMinor: number): RefundPart[] | null {
  const minor = (each: z.infer<typeof Transaction>) =>
    minorOf(each.amountSet.shopMoney.amount, each.amountSet.shopMoney.currencyCode)
  let open = amountMinor
  const parts: RefundPart[] = []
  for (const payment of paid.transactions) {
    if (!['SALE', 'CAPTURE'].includes(payment.kind) || payment.status !== 'SUCCESS') continue
    const back = paid.transactions
      .filter((each) => each.kind === 'REFUND' && each.parentTransaction?.id === payment.id)
      .filter((each) => each.status === 'SUCCESS' || each.status === 'PENDING')
      .reduce((sum, each) => sum + minor(each), 0)
    const part = Math.min(open, minor(payment) - back)
    if (part <= 0) continue
    parts.push({ parentId: payment.id, gateway: payment.gateway ?? '', amountMinor: part })
    open -= part
  }
  return open === 0 ? parts : null
}

/** A UUID, always the same for the same refund: Shopify drops a repeat. */
export const idempotencyKey = (...of: string[]): string =>
  digest('sha256', JSON.stringify(of), 'hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')

/** Money alone: no line is named, so that neither stock nor what is still to be shipped changes. */
export const refundRequest = (config: ShopifyConfig, told: RefundRequest, parts: RefundPart[]): GraphqlCall => {
  const orderId = gid('Order', told.externalId)
  return mutation(
    'refundCreate',
    `($input: RefundInput!, $key: String!) { refundCreate(input: $input) @idempotent(key: $key) { refund { id } userErrors { field message } } }`,
    {
      key: idempotencyKey(config.shop, told.externalId, told.key),
      input: {
        orderId,
        note: withKey(told.reason.slice(0, 200), told.key),
        notify: config.notifyCustomer,
        transactions: parts.map(({ parentId, gateway, amountMinor }) => ({
          orderId,
          parentId,
          gateway,
          kind: 'REFUND',
          amount: amountText(amountMinor, told.currency),
        })),
      },
    },
  )
}

/** The key stands in the refund's note and is looked for first; Shopify drops a repeat of it besides. */
export async function refund(ctx: ShopifyContext, told: RefundRequest): Promise<{ refundId: string }> {
  const Answer = z.object({ order: Paid.nullable() })
  const paid = readShape(Answer, await ask(ctx, paidRequest(told.externalId)), 'Shopify transactions').order
  if (paid === null) throw notThere(told.externalId)
  const known = paid.refunds.find(({ note }) => keyIn(note) === told.key)
  if (known) return { refundId: numberOf(known.id) }
  const parts = paid.currencyCode === told.currency && told.amountMinor > 0 ? refundParts(paid, told.amountMinor) : null
  if (parts === null || paid.refunds.length >= MAX_REFUNDS)
    throw new OmnisagaError('Rejected', `Shopify order ${told.externalId} has not so much left to refund`, {
      code: 'refund-too-large',
      remedy: "Compare the order's payments and refunds in the shop's admin with the amount wanted.",
    })
  const { refund: made } = done(await ask(ctx, refundRequest(ctx.connection.config, told, parts)), 'refundCreate', 'userErrors', {
    refund: z.object({ id: z.string() }),
  })
  return { refundId: numberOf(made.id) }
}
