/** Reserve: each line is held where it can be shipped from, all of the order or nothing of it. */
import type { OrderView } from '../../domain/view.ts'
import { transaction, type Queryable } from '../../store/db.ts'
import { levels, release } from '../../store/ledger/operations.ts'
import type { ReserveLine } from '../../store/ledger/types.ts'
import { changeOrder, readOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'

/** Another order may take what the levels showed; looking again this often settles any real crowd. */
const ATTEMPTS = 4

export async function reserve(runtime: Runtime, orderId: string): Promise<OrderView> {
  const record = await readOrder(runtime.pool, orderId)
  // A change or a cancellation that came first has made another stage the next one.
  if (record.is('reserved') || !record.is('checked') || record.is('cancelRequested')) return record.view()
  const demand = record.lines.flatMap((line) => {
    const quantity = line.ordered - line.cancelled
    return line.sku !== null && quantity > 0 ? [{ lineId: line.lineId, sku: line.sku, quantity }] : []
  })
  const policy = await runtime.policy(record.settingsVersion)
  const expiresAt = lasts(record) ? null : new Date(Date.now() + policy.holdTtlMs)
  const missing = await hold(runtime, record, demand, expiresAt)
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (current, tx) => {
      const key = `order:${current.id}:stock`
      if (current.is('reserved')) return
      if (current.course !== record.course) {
        // Changed meanwhile: these holds answer a question that nobody asks any more.
        await release(tx, { orderId: current.id })
        return
      }
      if (missing.length === 0) {
        for (const line of current.lines) line.held = line.ordered - line.cancelled
        current.withdraw('shortage')
        current.record('reserved')
        await current.closeTasks(tx, { key }, 'there is stock now')
        return
      }
      current.record('shortage', { skus: missing.map((line) => line.sku) })
      await openTask(tx, {
        kind: 'stock.short',
        key,
        orderId: current.id,
        connection: current.connection,
        subject: current.doc.externalId,
        title: `Not enough stock: ${missing.map((line) => `${line.sku} (${line.available} of ${line.quantity})`).join(', ')}`,
        detail: `Order ${current.doc.externalId} waits; nothing of it is held.`,
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

interface Demand {
  lineId: string
  sku: string
  quantity: number
}

/** @returns what could not be held; then nothing is held. */
async function hold(
  runtime: Runtime,
  record: OrderRecord,
  demand: Demand[],
  expiresAt: Date | null,
): Promise<(Demand & { available: number })[]> {
  // Counted before the look at the holds: whoever else reserves for this order meanwhile does so under the same key.
  const given = await runtime.pool.query<{ n: number }>('select count(*) as n from reservations where order_id = $1', [record.id])
  if (await transaction(runtime.pool, (tx) => holdsAll(tx, record.id, demand))) return []
  for (let attempt = 1; ; attempt++) {
    const plan = await placeDemand(runtime.pool, demand, await candidates(runtime.pool, record), undefined, claimantOf(record))
    if (plan.missing.length > 0) return plan.missing
    const answer = await runtime.reserver.reserve({
      key: `${record.id}/${Number(given.rows[0]?.n ?? 0) + attempt}`,
      orderId: record.id,
      lines: plan.lines,
      mode: 'allOrNothing',
      expiresAt,
      ...claimantOf(record),
    })
    if (answer.complete) return []
    if (attempt === ATTEMPTS)
      return demand.map((line) => ({ ...line, available: answer.lines.find((l) => l.sku === line.sku)?.available ?? 0 }))
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

/** Where this order may be held, the best first. Store orders name their location; the rest ship from where it is allowed. */
export async function candidates(db: Queryable, record: OrderRecord): Promise<string[]> {
  const { method, location } = record.doc.delivery
  if (location !== null && (record.doc.kind === 'tryOn' || method === 'storePickup' || method === 'handOver')) return [location]
  const rows = await db.query<{ id: string }>({
    name: 'shipping-locations',
    text: 'select id from locations where ships order by priority, id',
  })
  return rows.rows.map((row) => row.id)
}

/** Whose allotments the order may hold from. */
export const claimantOf = (record: OrderRecord): { channel: string; campaign: string | null } => ({
  channel: record.doc.channel,
  campaign: record.doc.campaign ?? null,
})

/** One location that has everything, else as few splits as the order of locations gives. */
export async function placeDemand(
  db: Queryable,
  demand: Demand[],
  locations: string[],
  isOut: (sku: string, location: string) => boolean = () => false,
  claimant: { channel?: string; campaign?: string | null } = {},
): Promise<{ lines: ReserveLine[]; missing: (Demand & { available: number })[] }> {
  const left = new Map(
    (await levels(db, { ...claimant, skus: [...new Set(demand.map((line) => line.sku))] })).map((level) => [
      `${level.sku}\u0000${level.location}`,
      level.available,
    ]),
  )
  const at = (sku: string, location: string) => (isOut(sku, location) ? 0 : (left.get(`${sku}\u0000${location}`) ?? 0))
  const bySku = new Map<string, number>()
  for (const line of demand) bySku.set(line.sku, (bySku.get(line.sku) ?? 0) + line.quantity)
  const whole = locations.find((location) => [...bySku].every(([sku, quantity]) => at(sku, location) >= quantity))
  if (whole !== undefined) return { lines: demand.map((line) => ({ ...line, location: whole })), missing: [] }
  const lines: ReserveLine[] = []
  const missing: (Demand & { available: number })[] = []
  for (const line of demand) {
    const available = locations.reduce((total, location) => total + Math.max(0, at(line.sku, location)), 0)
    if (available < line.quantity) {
      missing.push({ ...line, available })
      continue
    }
    let wanted = line.quantity
    for (const location of locations) {
      const quantity = Math.min(wanted, Math.max(0, at(line.sku, location)))
      if (quantity === 0) continue
      lines.push({ lineId: line.lineId, sku: line.sku, location, quantity })
      left.set(`${line.sku}\u0000${location}`, at(line.sku, location) - quantity)
      wanted -= quantity
    }
  }
  return { lines, missing }
}
