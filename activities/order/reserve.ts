/** Reserve: each line is held where it can be shipped from, all of the order or nothing of it. */
import type { Demand, RoutingDecision } from '../../domain/routing/types.ts'
import type { OrderView } from '../../domain/view.ts'
import { transaction, type Queryable } from '../../store/db.ts'
import { release } from '../../store/ledger/operations.ts'
import { changeOrder, readOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { decisionStatement } from '../../store/routingDecisions.ts'
import { openTask } from '../../store/tasks.ts'
import { joinCampaign, leaveClosedCampaign, openCampaign } from '../campaigns/standing.ts'
import type { Runtime } from '../runtime.ts'
import { holdTtlMs } from '../shortage/holdTtl.ts'
import { endShortage, hasClaims, holdWhatThereIs, judgeShortage, settleShortage, unheld } from '../shortage/shortage.ts'
import { placeOrBring } from '../store/elsewhere.ts'
import { askForTransfers } from '../store/bringing.ts'
import { claimantOf, type Placing } from './place.ts'

/** Another order may take what the levels showed; looking again this often settles any real crowd. */
const ATTEMPTS = 4

export async function reserve(runtime: Runtime, orderId: string): Promise<OrderView> {
  const record = await readOrder(runtime.pool, orderId)
  // A change or a cancellation that came first has made another stage the next one.
  if (record.is('reserved') || !record.is('checked') || record.is('cancelRequested')) return record.view()
  const left = await leaveClosedCampaign(runtime, record)
  if (left !== null) return left
  const demand = record.lines.flatMap((line) => {
    const quantity = line.ordered - line.cancelled
    return line.sku !== null && quantity > 0 ? [{ lineId: line.lineId, sku: line.sku, quantity }] : []
  })
  const policy = await runtime.policy(record.settingsVersion)
  // A group-buy may stay open for longer than any hold; who pays at the door is of it until then.
  const isMember = record.doc.payment.method === 'cod' && (await openCampaign(runtime.pool, record)) !== null
  const expiresAt =
    isMember || lasts(record)
      ? null
      : new Date(record.doc.exchangeOf?.until ?? Date.now() + (await holdTtlMs(runtime.pool, policy, record)))
  const { missing, decision, rest } = await hold(runtime, record, demand, expiresAt)
  const short = missing.length === 0 ? null : await judgeShortage(runtime, record, missing, rest)
  if (short?.isBackordered) await holdWhatThereIs(runtime, record, rest, short, { expiresAt, locations: ownLocation(record) })
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (current, tx) => {
      const key = `order:${current.id}:stock`
      if (current.is('reserved')) return
      if (current.course !== record.course) {
        // Changed meanwhile: these holds answer a question that nobody asks any more.
        await release(tx, { orderId: current.id })
        return
      }
      if (short === null) {
        if (!(await joinCampaign(tx, current))) return await release(tx, { orderId: current.id }).then(() => undefined)
        for (const line of current.lines) line.held = line.ordered - line.cancelled
        current.withdraw('shortage')
        current.record('reserved')
        await endShortage(tx, current, 'served')
        if (current.doc.kind === 'tryOn' && !current.is('tryOnDecided')) await askForTransfers(tx, current)
        if (decision !== null) current.alsoWrite(decisionStatement(current, 'reserve', decision))
        await current.closeTasks(tx, { key }, 'there is stock now')
        return
      }
      if (!short.isBackordered && rest.length < demand.length) {
        await release(tx, { orderId: current.id })
        for (const line of current.lines) line.held = 0
      }
      if (await settleShortage(runtime, tx, current, demand, short))
        return await current.closeTasks(tx, { key }, 'it is claimed or asked for')
      current.record('shortage', { skus: missing.map((line) => line.sku) })
      await openTask(tx, {
        kind: 'stock.short',
        key,
        orderId: current.id,
        connection: current.connection,
        subject: current.doc.externalId,
        title: `Not enough stock: ${missing.map((line) => `${line.sku} (${line.available} of ${line.quantity})`).join(', ')}`,
        detail: `Order ${current.doc.externalId} waits; nothing of it is held${decision === null ? '' : `: ${decision.because}`}.`,
        remedy: 'Receive or correct the stock (the order then goes on by itself), change the lines, or cancel the order.',
        field: 'lines',
        value: missing.map((line) => line.sku).join(', '),
        actions: ['retry', 'change', 'cancel'],
      })
    })
  ).view
}

/** Goods of a confirmed or paid order stay held; a hold that still waits for somebody's word ends by itself. */
const lasts = (record: OrderRecord): boolean =>
  record.is('confirmed') ||
  (record.doc.kind !== 'tryOn' && record.doc.payment.method === 'prepaid' && record.doc.payment.state === 'paid')

/** @returns what could not be held; then nothing is held. `decision` is null where everything was held before. */
async function hold(
  runtime: Runtime,
  record: OrderRecord,
  demand: Demand[],
  expiresAt: Date | null,
): Promise<Pick<Placing, 'missing'> & { decision: RoutingDecision | null; rest: Demand[] }> {
  // Counted before the look at the holds: whoever else reserves for this order meanwhile does so under the same key.
  const given = await runtime.pool.query<{ n: number }>('select count(*) as n from reservations where order_id = $1', [record.id])
  // What an order with a backorder holds it keeps; any other holds all it wants or nothing.
  const unheldYet = (await hasClaims(runtime.pool, record.id)) ? await unheld(runtime.pool, record.id, demand) : null
  if (unheldYet === null && (await transaction(runtime.pool, (tx) => holdsAll(tx, record.id, demand))))
    return { decision: null, missing: [], rest: [] }
  const rest = unheldYet ?? demand
  if (rest.length === 0) return { decision: null, missing: [], rest }
  for (let attempt = 1; ; attempt++) {
    const placing = await placeOrBring(runtime, record, rest, ownLocation(record))
    if (placing.missing.length > 0) return { ...placing, rest }
    const answer = await runtime.reserver.reserve({
      key: `${record.id}/${Number(given.rows[0]?.n ?? 0) + attempt}`,
      orderId: record.id,
      lines: placing.lines,
      mode: 'allOrNothing',
      expiresAt,
      ...claimantOf(record),
    })
    if (answer.complete) return { ...placing, rest }
    if (attempt === ATTEMPTS)
      return {
        decision: placing.decision,
        rest,
        missing: rest.map((line) => ({ ...line, available: answer.lines.find((l) => l.sku === line.sku)?.available ?? 0 })),
      }
  }
}

/** A crash between the ledger's answer and our row leaves holds behind: they are this order's, and good. */
async function holdsAll(db: Queryable, orderId: string, demand: Demand[]): Promise<boolean> {
  const held = await db.query<{ line_id: string; quantity: number }>(
    `select line_id, sum(quantity)::int as quantity from holds
     where order_id = $1 and state = 'active' and (expires_at is null or expires_at > now()) group by line_id`,
    [orderId],
  )
  if (held.rows.length === 0) return false
  const byLine = new Map(held.rows.map((row) => [row.line_id, row.quantity]))
  if (byLine.size === demand.length && demand.every((line) => byLine.get(line.lineId) === line.quantity)) return true
  await release(db, { orderId })
  return false
}

/** An order of a store's own names where it is held; null: wherever goods ship from. */
export function ownLocation(record: OrderRecord): string[] | null {
  const { method, location } = record.doc.delivery
  return location !== null && (record.doc.kind === 'tryOn' || method === 'storePickup' || method === 'handOver')
    ? [location]
    : null
}
