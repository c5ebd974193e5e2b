/** How an order of a group-buy fares: it joins when it holds, waits for the closing, goes on or leaves with its money. */
import type { LeftBecause } from '../../domain/campaigns.ts'
import type { Fact } from '../../domain/facts.ts'
import type { OrderView } from '../../domain/view.ts'
import { addMember, standingOf, type Standing } from '../../store/campaigns.ts'
import type { Queryable, Tx } from '../../store/db.ts'
import { prolong } from '../../store/ledger/operations.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { payBackAll } from '../refund.ts'
import type { Runtime } from '../runtime.ts'

const named = (record: OrderRecord) => ({ id: record.id, campaign: record.doc.campaign ?? null })

/** Why it cannot be of its campaign (any more); null: it can, or its campaign is none of ours. */
function leaves({ state, isMember, inTime }: Standing): LeftBecause | null {
  if (state === 'failed') return 'failed'
  if (isMember) return null
  return state === 'reached' || !inTime ? 'missed' : null
}

/** The campaign for whose closing it waits; null when it waits for none. */
export async function openCampaign(db: Queryable, record: OrderRecord): Promise<string | null> {
  const standing = await standingOf(db, named(record))
  return standing?.state === 'open' ? standing.campaign : null
}

/** Before anything is held: who comes too late leaves at once. @returns the view then, else null. */
export async function leaveClosedCampaign(runtime: Runtime, record: OrderRecord): Promise<OrderView | null> {
  const standing = await standingOf(runtime.pool, named(record))
  if (standing === null || leaves(standing) === null) return null
  return (await changeOrder(runtime.pool, record.id, 'saga', (current, tx) => hear(runtime, tx, current))).view
}

/** It holds all it wants: it is a member from now on. @returns false when the closing came first; it leaves then. */
export async function joinCampaign(tx: Tx, record: OrderRecord): Promise<boolean> {
  const standing = await standingOf(tx, named(record), true)
  if (standing === null) return true
  const because = leaves(standing)
  if (because === null) await addMember(tx, standing.campaign, record.id)
  else await leave(tx, record, standing, because)
  return because === null
}

/** What became of its campaign is carried out for one order; doing it again changes nothing. */
export async function hear(runtime: Runtime, tx: Tx, record: OrderRecord): Promise<void> {
  const standing = await standingOf(tx, named(record))
  if (standing === null || record.closed || record.is('cancelRequested') || record.is('cancelled')) return
  const because = leaves(standing)
  if (because !== null) {
    // What was confirmed before the campaign was set up is a sale like any other.
    if (!record.is('confirmed')) await leave(tx, record, standing, because)
    return
  }
  if (standing.state === 'open' || record.facts.confirmAsked?.for !== 'campaign') return
  record.withdraw('confirmAsked')
  record.changeCourse()
  if (record.doc.payment.state === 'paid') return
  // What waited for the closing now waits for its customer, as long as any order does.
  const { holdTtlMs } = await runtime.policy(record.settingsVersion)
  await prolong(tx, { orderId: record.id, expiresAt: new Date(Date.now() + holdTtlMs) })
}

const WHY: Record<LeftBecause, string> = {
  failed: 'its group-buy did not reach its minimum',
  missed: 'its group-buy was closed before it could hold its goods',
}

/** The saga undoes it; the money that was paid is asked back in the same transaction. */
async function leave(tx: Tx, record: OrderRecord, standing: Standing, because: LeftBecause): Promise<void> {
  record.record('cancelRequested', { by: `campaign:${standing.campaign}`, reason: WHY[because], left: because })
  record.changeCourse()
  await payBackAll(tx, record, { key: `campaign:${standing.campaign}`, reason: WHY[because] })
}

const NOTICES = {
  failed: { template: 'campaignFailed' },
  missed: { template: 'campaignMissed' },
}

/** What the customer of a cancelled order is told. */
export function cancellationNotice(request: Fact | undefined): { template: string } {
  return request?.left === 'failed' || request?.left === 'missed' ? NOTICES[request.left] : { template: 'cancelled' }
}
