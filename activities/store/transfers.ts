/**
 * What transfers mean for orders. Until it is shipped, the order holds its goods at the sender; on the way nobody can hold them, and the
 * transfer itself is the claim; when they arrive they are held again in the same transaction, kept aside. So they are held once or on
 * the way once, whatever is killed in between.
 */
import { OmnisagaError } from '../../domain/errors.ts'
import { transaction, type Tx } from '../../store/db.ts'
import { freeOnHand, insertHold, lockPlaces, moveBetween } from '../../store/ledger/between.ts'
import { consume, move } from '../../store/ledger/operations.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import { getTransfer, listTransfers, lockTransfer, saveTransfer, transitLocation, type Transfer } from '../../store/transfers.ts'
import { ring } from '../engine.ts'
import type { Runtime } from '../runtime.ts'
import { askAgain, endTransfer, heldPieces, isUnderWay, sendBackUnwanted } from './bringing.ts'

const rejected = (code: string, message: string, remedy: string) => new OmnisagaError('Rejected', message, { code, remedy })

/** The order first, then the transfer, then stock: everybody locks in this order. */
async function underLock<T>(
  runtime: Runtime,
  id: string,
  work: (tx: Tx, transfer: Transfer, record: OrderRecord | null) => Promise<T>,
): Promise<T> {
  const { id: known, orderId, purpose } = await getTransfer(runtime.pool, id)
  if (orderId === null || purpose !== 'order')
    return await transaction(runtime.pool, async (tx) => await work(tx, await lockTransfer(tx, known), null))
  let course = 0
  const { result, record } = await changeOrder(runtime.pool, orderId, 'world', async (locked, tx) => {
    course = locked.course
    return await work(tx, await lockTransfer(tx, known), locked)
  })
  if (record.course !== course && !record.closed)
    await ring(runtime, orderId).catch((error: unknown) =>
      runtime.log.warn({ orderId, error: (error as Error).name }, 'the order could not be rung yet'),
    )
  return result
}

export interface Sent {
  carrier?: string | null
  waybill?: string | null
  expectedOn?: string | null
  /** By line: fewer than asked, when fewer were found. */
  quantities?: Record<string, number>
}

function refuseUnknownLines({ id, lines }: Transfer, quantities: Record<string, number> = {}): void {
  const unknown = Object.keys(quantities).find((lineId) => !lines.some((line) => line.lineId === lineId))
  if (unknown === undefined) return
  const known = lines.map(({ lineId, sku }) => `${lineId} (${sku})`).join(', ')
  throw new OmnisagaError('Invalid', `transfer ${id} has no line ${unknown}`, { code: 'line', remedy: `Its lines are ${known}.` })
}

/** The goods have left: on hand at the transit location. Saying it twice changes nothing. @throws Invalid, Rejected. */
export async function shipTransfer(runtime: Runtime, id: string, sent: Sent): Promise<Transfer> {
  return await underLock(runtime, id, async (tx, transfer, record) => {
    if (transfer.state === 'shipped' || transfer.state === 'arrived') return transfer
    if (transfer.state === 'cancelled')
      throw rejected('cancelled', `transfer ${id} was cancelled: ${transfer.endedBecause}`, 'Leave the goods where they are.')
    refuseUnknownLines(transfer, sent.quantities)
    const via = await transitLocation(tx)
    await lockPlaces(
      tx,
      transfer.lines.flatMap(({ sku }) => [
        { sku, location: transfer.from },
        { sku, location: via },
      ]),
    )
    const pieces = record === null ? null : await heldPieces(tx, record.id)
    for (const line of transfer.lines) {
      const there =
        pieces === null
          ? transfer.purpose === 'back'
            ? await freeOnHand(tx, { sku: line.sku, location: transfer.from })
            : line.quantity
          : (pieces.find((piece) => piece.lineId === line.lineId && piece.location === transfer.from)?.quantity ?? 0)
      line.shipped = Math.max(0, Math.min(line.quantity, there, sent.quantities?.[line.lineId] ?? line.quantity))
    }
    const lines = transfer.lines.filter((line) => line.shipped > 0)
    if (lines.length === 0)
      throw rejected('nothing', `nothing of transfer ${id} is to be sent any more`, 'Leave the goods where they are.')
    await leave(tx, transfer, via, lines, record)
    Object.assign(transfer, { state: 'shipped', via })
    transfer.carrier = sent.carrier ?? transfer.carrier
    transfer.waybill = sent.waybill ?? transfer.waybill
    transfer.expectedOn = sent.expectedOn ?? transfer.expectedOn
    await saveTransfer(tx, transfer)
    await closeTasks(tx, { key: `transfer:${transfer.id}:overdue` }, 'sent')
    if (record !== null) await askAgain(tx, record, transfer)
    return await getTransfer(tx, transfer.id)
  })
}

async function leave(
  tx: Tx,
  { id, from }: Transfer,
  via: string,
  lines: Transfer['lines'],
  record: OrderRecord | null,
): Promise<void> {
  const [key, reason, reference] = [`transfer:${id}:out`, 'transferOut', id]
  if (record === null)
    return await moveBetween(tx, {
      key,
      reason,
      reference,
      from,
      to: via,
      lines: lines.map(({ sku, shipped }) => ({ sku, quantity: shipped })),
    })
  await consume(tx, {
    key,
    orderId: record.id,
    reason,
    reference,
    lines: lines.map(({ lineId, shipped }) => ({ lineId, location: from, quantity: shipped })),
  })
  for (const { lineId, sku, shipped } of lines)
    await move(tx, { key: `${key}/${via}/${lineId}`, sku, location: via, quantity: shipped, reason, reference })
}

/** The goods are there: held for their order and kept aside, or on sale. Saying it twice changes nothing. @throws Invalid, Rejected. */
export async function arriveTransfer(
  runtime: Runtime,
  id: string,
  { quantities }: Pick<Sent, 'quantities'> = {},
): Promise<Transfer> {
  return await underLock(runtime, id, async (tx, transfer, record) => {
    if (transfer.state === 'arrived') return transfer
    if (transfer.state !== 'shipped' || transfer.via === null)
      throw rejected('notShipped', `transfer ${id} is ${transfer.state}`, 'Say that it was shipped first.')
    refuseUnknownLines(transfer, quantities)
    for (const line of transfer.lines)
      line.arrived = Math.max(0, Math.min(line.shipped, quantities?.[line.lineId] ?? line.shipped))
    await moveBetween(tx, {
      key: `transfer:${transfer.id}:in`,
      reason: 'transferIn',
      reference: transfer.id,
      from: transfer.via,
      to: transfer.to,
      lines: transfer.lines.map(({ sku, arrived }) => ({ sku, quantity: arrived })),
    })
    await writeOffLost(tx, transfer, transfer.via)
    transfer.state = 'arrived'
    await saveTransfer(tx, transfer)
    await closeTasks(tx, { key: `transfer:${transfer.id}:overdue` }, 'arrived')
    if (record !== null) await holdAgain(tx, transfer, record)
    return await getTransfer(tx, transfer.id)
  })
}

async function writeOffLost(tx: Tx, transfer: Transfer, via: string): Promise<void> {
  const lost = transfer.lines.filter((line) => line.arrived < line.shipped)
  if (lost.length === 0) return
  for (const { lineId, sku, shipped, arrived } of lost)
    await move(tx, {
      key: `transfer:${transfer.id}:lost/${lineId}`,
      sku,
      location: via,
      quantity: arrived - shipped,
      reason: 'transferLost',
      reference: transfer.id,
    })
  await openTask(tx, {
    kind: 'transfer.short',
    key: `transfer:${transfer.id}:short`,
    orderId: transfer.orderId,
    subject: transfer.waybill ?? transfer.id,
    title: `Fewer pieces arrived at ${transfer.to} than were sent from ${transfer.from}`,
    detail: `${lost.map(({ sku, shipped, arrived }) => `${sku}: ${arrived} of ${shipped}`).join(', ')}. What is missing is in nobody's stock.`,
    remedy: 'Ask the sender and the carrier; where the pieces turn up, omnisaga stock set counts them. Then skip.',
    actions: ['skip'],
  })
}

/** Goods that nobody else could hold meanwhile; what the order no longer wants goes the way the policy says. */
async function holdAgain(tx: Tx, transfer: Transfer, record: OrderRecord): Promise<void> {
  const over = record.closed || record.is('cancelled') || record.is('cancelRequested')
  const held = await heldPieces(tx, record.id)
  for (const { lineId, sku, arrived, shipped } of transfer.lines) {
    const line = record.lines.find((candidate) => candidate.lineId === lineId && candidate.sku === sku)
    const wanted = over || line === undefined ? 0 : line.ordered - line.cancelled - line.delivered
    const already = held.filter((piece) => piece.lineId === lineId).reduce((sum, piece) => sum + piece.quantity, 0)
    const quantity = Math.min(arrived, Math.max(0, wanted - already))
    if (quantity > 0)
      await insertHold(tx, {
        key: `transfer/${transfer.id}/${lineId}`,
        orderId: record.id,
        lineId,
        sku,
        location: transfer.to,
        quantity,
        keptAside: true,
        expiresAt: null,
      })
    // Lost on the way: it is looked for anew, with everything else of the order.
    if (line !== undefined && arrived < shipped && already + quantity < wanted) {
      line.held = already + quantity
      record.withdraw('reserved')
    }
  }
  await sendBackUnwanted(tx, record)
  const open = await listTransfers(tx, { orderId: record.id, open: true })
  if (!open.some(isUnderWay)) record.withdraw('inTransfer')
  record.changeCourse()
}

export async function cancelTransfer(runtime: Runtime, id: string): Promise<Transfer> {
  return await underLock(runtime, id, async (tx, transfer, record) => {
    if (transfer.state === 'cancelled') return transfer
    if (transfer.state !== 'requested')
      throw rejected(
        'state',
        `transfer ${id} is ${transfer.state} already`,
        transfer.state === 'shipped'
          ? 'Say that it arrived, and send it back with another one.'
          : 'Send it back with another one.',
      )
    if (record !== null && (await heldPieces(tx, record.id)).some((piece) => piece.location === transfer.from))
      throw rejected('wanted', `order ${record.id} waits for transfer ${id}`, 'Cancel or change the order.')
    return await endTransfer(tx, transfer.id, 'a person cancelled it')
  })
}

/** Transfers whose order wants nothing of them any more are called off; what takes too long is told. */
export async function sweepTransfers(runtime: Runtime): Promise<void> {
  const { rows } = await runtime.pool.query<{ id: string }>(
    `select t.id from transfers t where t.state = 'requested' and t.purpose = 'order'
       and not exists (select from holds h where h.order_id = t.order_id and h.location = t.from_location and h.state = 'active') limit 200`,
  )
  for (const { id } of rows)
    await underLock(runtime, id, async (tx, transfer, record) => {
      const held = record === null ? [] : await heldPieces(tx, record.id)
      if (held.some((piece) => piece.location === transfer.from)) return
      await endTransfer(tx, transfer.id, 'its order wants nothing of it any more')
      const open = record === null ? [] : await listTransfers(tx, { orderId: record.id, open: true })
      if (!open.some(isUnderWay)) record?.withdraw('inTransfer')
    })
  const { transferOverdueMs } = await runtime.policy()
  const overdue = await runtime.pool.query<{ id: string }>(
    `select id from transfers t where state in ('requested', 'shipped') and coalesce(shipped_at, made_at) < now() - $1 * interval '1 millisecond'
       and not exists (select from tasks k where k.key = 'transfer:' || t.id || ':overdue') limit 200`,
    [transferOverdueMs],
  )
  for (const { id } of overdue.rows) {
    const transfer = await getTransfer(runtime.pool, id)
    await openTask(runtime.pool, {
      kind: 'transfer.overdue',
      key: `transfer:${id}:overdue`,
      orderId: transfer.orderId,
      subject: transfer.waybill ?? id,
      title:
        transfer.state === 'shipped'
          ? `A transfer has not arrived at ${transfer.to}`
          : `A transfer was not sent from ${transfer.from}`,
      detail: `${transfer.lines.map((line) => `${line.quantity} × ${line.sku}`).join(', ')} from ${transfer.from} to ${transfer.to}.`,
      remedy: `Ask the sender or the carrier, then omnisaga transfers ${transfer.state === 'shipped' ? 'arrive' : 'ship'} ${id}. The task closes by itself then.`,
      actions: ['skip'],
    })
  }
}
