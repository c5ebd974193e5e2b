/** What happens around an order: goods brought between locations, goods that come back, group-buys that close. */
import { closeCampaigns } from '../../activities/campaigns/round.ts'
import { askReturn, decideReturn } from '../../activities/returns/ask.ts'
import { exchangeLines } from '../../activities/returns/exchange.ts'
import { inspectReturn, leftToInspect } from '../../activities/returns/inspect.ts'
import { receiveReturn } from '../../activities/returns/receive.ts'
import { returnRound } from '../../activities/returns/round.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { arriveTransfer, cancelTransfer, shipTransfer, sweepTransfers } from '../../activities/store/transfers.ts'
import type { Disposition } from '../../domain/returns.ts'
import { endCampaign } from '../../store/campaigns.ts'
import { readOrder } from '../../store/orderRecord.ts'
import { listReturns } from '../../store/returns.ts'
import { listTransfers } from '../../store/transfers.ts'

export type Around =
  | { is: 'transfer'; which: number; how: 'ship' | 'arrive' | 'cancel' | 'sweep'; less: number }
  | {
      is: 'return'
      order: number
      which: number
      how: 'ask' | 'approve' | 'refuse' | 'cancel' | 'receive' | 'inspect'
      quantity: number
      disposition: Disposition
      /** Other goods are wanted instead of money. */
      other: 'TEE-S' | 'CAP' | null
    }
  /** The rounds over returns: exchanges that a crash left half way; those that are due have waited for long enough. */
  | { is: 'returnRound'; late: boolean }
  | { is: 'campaignEnds' }

export const CAMPAIGN = 'the-group-buy'

export async function transferHappens(
  runtime: Runtime,
  { which, how, less }: Extract<Around, { is: 'transfer' }>,
): Promise<void> {
  if (how === 'sweep') return await sweepTransfers(runtime)
  const all = await listTransfers(runtime.pool, {})
  const transfer = all[which % Math.max(1, all.length)]
  if (transfer === undefined) return
  const fewer = (of: 'quantity' | 'shipped') =>
    Object.fromEntries(transfer.lines.map((line) => [line.lineId, Math.max(0, line[of] - less)]))
  if (how === 'ship') await shipTransfer(runtime, transfer.id, { quantities: fewer('quantity') })
  if (how === 'arrive') await arriveTransfer(runtime, transfer.id, { quantities: fewer('shipped') })
  if (how === 'cancel') await cancelTransfer(runtime, transfer.id)
}

/** One costs what came back, the other more. */
const OTHER_PRICE = { 'TEE-S': 10_000, CAP: 25_000 }

let asked = 0
export async function returnHappens(runtime: Runtime, orderId: string, event: Extract<Around, { is: 'return' }>): Promise<void> {
  const { lines } = await readOrder(runtime.pool, orderId)
  const { which, how, quantity, disposition, other } = event
  if (how === 'ask') {
    const line = lines[which % Math.max(1, lines.length)]
    if (line === undefined) return
    asked += 1
    const wanted = {
      key: `model-${asked}`,
      reason: 'too small',
      way: 'store' as const,
      location: 'shop',
      pickup: null,
      exchange:
        other === null ? null : { lines: exchangeLines([{ sku: other, quantity: 1, unitPriceMinor: OTHER_PRICE[other] }]) },
    }
    await askReturn(runtime, orderId, { ...wanted, lines: [{ lineId: line.lineId, quantity }] }, 'person:test')
    return
  }
  const all = await listReturns(runtime.pool, { orderId })
  const row = all[which % Math.max(1, all.length)]
  if (row === undefined) return
  if (how === 'approve' || how === 'refuse' || how === 'cancel') await decideReturn(runtime, row.id, how, 'person:test')
  if (how === 'receive') await receiveReturn(runtime, row.id, { location: 'shop', lines: null }, 'person:test')
  if (how !== 'inspect') return
  const pieces = leftToInspect(row).map((left) => ({
    ...left,
    quantity: Math.min(quantity, left.quantity),
    disposition,
    location: 'north',
    note: null,
  }))
  if (pieces.length > 0) await inspectReturn(runtime, row.id, { lines: pieces, refundMinor: null }, 'person:test')
}

export async function returnRoundHappens(runtime: Runtime, { late }: Extract<Around, { is: 'returnRound' }>): Promise<void> {
  if (late) await runtime.pool.query(`update returns set due_at = now() - interval '1 second' where due_at is not null`)
  await returnRound(runtime)
}

export async function campaignEnds(runtime: Runtime): Promise<void> {
  await endCampaign(runtime.pool, CAMPAIGN)
  await closeCampaigns(runtime)
}
