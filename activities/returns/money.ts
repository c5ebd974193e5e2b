/** The money of a return: its value less what other goods were given for it, asked for once; what is not clear is a person's. */
import { toWholes } from '../../domain/bundle.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { isPaid } from '../../domain/paid.ts'
import { valueOf } from '../../domain/returns.ts'
import type { Tx } from '../../store/db.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { askedBack } from '../../store/refunds.ts'
import { readReturn, updateReturn, type ReturnRow } from '../../store/returns.ts'
import { openTask } from '../../store/tasks.ts'
import { changeAwaited } from '../order/recall.ts'
import { requestRefund, type Requested } from '../refund.ts'
import type { Runtime } from '../runtime.ts'

const inspected = (row: ReturnRow) =>
  row.lines
    .map(({ lineId }) => ({
      lineId,
      quantity: row.dispositions.filter((each) => each.lineId === lineId).reduce((sum, { quantity }) => sum + quantity, 0),
    }))
    .filter(({ quantity }) => quantity > 0)

/** Called under the order's lock whenever nothing of what came waits for an inspection; `again` when an exchange was given up. */
export async function settleMoney(
  tx: Tx,
  record: OrderRecord,
  row: ReturnRow,
  { refundMinor, again = false }: { refundMinor: number | null; again?: boolean },
): Promise<void> {
  const pieces = inspected(row)
  const count = pieces.reduce((sum, { quantity }) => sum + quantity, 0)
  if (count <= row.refundedPieces && !again) return
  await updateReturn(tx, row.id, { refundedPieces: count })
  // The marketplace pays its buyers by itself, and takes it off what it pays out.
  if (row.channel?.paysBack === true) return
  const { payment, totals } = record.doc
  // Cash that nobody paid is not given back.
  if (!isPaid(payment)) {
    if (payment.method === 'cod' && row.way === 'cameBack') return
    return await askPerson(tx, record, row, null, `the payment is ${payment.state}`)
  }
  // What is called off is paid back as such (order/calledOff.ts).
  if (row.way === 'cameBack' && isCalledOff(record)) return
  const worth = valueOf(pieces, record.lines, totals)
  if (row.way === 'cameBack') return await askPerson(tx, record, row, worth, 'it was paid, and the goods came back')
  if (worth === null && refundMinor === null)
    return await askPerson(tx, record, row, null, 'what the pieces are worth is not known')
  const given = row.exchangeState === 'cancelled' ? 0 : exchangedFor(row)
  const amountMinor = refundMinor ?? Math.max(0, (worth ?? 0) - given - (await askedFor(tx, row)))
  if (amountMinor === 0) return
  if (worth !== null && amountMinor > worth)
    throw new OmnisagaError('Invalid', `${amountMinor} is more than the pieces are worth: ${worth}`, {
      code: 'refundAmount',
      remedy: 'Refund at most what was paid for them.',
    })
  await refund(tx, record, row, amountMinor, count)
}

async function refund(tx: Tx, record: OrderRecord, row: ReturnRow, amountMinor: number, count: number): Promise<void> {
  const lines = toWholes(
    inspected(row).map(({ lineId, quantity }) => {
      const { sku, externalSku } = record.line(lineId)
      return { lineId, sku, externalSku, quantity }
    }),
    record.lines,
  )
  try {
    await requestRefund(tx, record, {
      key: `${row.id}/${count}${row.exchangeState === 'cancelled' ? 'x' : ''}`,
      amountMinor,
      lines,
      reason: row.reason,
    })
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.code !== 'refundAmount') throw error
    await askPerson(tx, record, row, null, error.message)
  }
}

const isCalledOff = (record: OrderRecord) =>
  record.is('cancelled') || (record.is('cancelRequested') && changeAwaited(record) === null)

/** What the goods given instead cost. */
function exchangedFor(row: ReturnRow): number {
  if (row.exchange === null) return 0
  return row.exchange.lines.reduce((sum, line) => sum + line.quantity * (line.unitPriceMinor ?? 0), 0)
}

/** Also what the channel paid by itself, as far as it was for this return. */
async function askedFor(tx: Tx, row: ReturnRow): Promise<number> {
  const { rows, keys } = await askedBack(tx, row.orderId)
  return rows
    .filter(({ key }) => key.startsWith(`refund:${row.orderId}:${row.id}/`) && keys.has(key))
    .reduce((sum, { wantedMinor }) => sum + wantedMinor, 0)
}

async function askPerson(tx: Tx, record: OrderRecord, row: ReturnRow, worth: number | null, why: string): Promise<void> {
  await openTask(tx, {
    kind: 'return.refund',
    key: `return:${row.id}:refund`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'Decide what is paid back',
    detail: `The goods of return ${row.id} of order ${record.doc.externalId} were inspected, but ${why}.`,
    remedy:
      worth === null
        ? 'refund with amountMinor pays that much back; skip: nothing is paid back.'
        : `refund pays ${(worth / 100).toFixed(2)} back (or amountMinor); skip: nothing is paid back, for it is sent again.`,
    field: 'amountMinor',
    value: worth === null ? null : String(worth),
    actions: ['refund', 'skip'],
  })
}

const BECAME: Record<Requested, string> = {
  asked: 'is asked for at the channel',
  known: 'was asked for before',
  byHand: 'is to be transferred by a person',
  paidThere: 'was paid back by the channel itself: it is not paid a second time',
  disagrees: 'is not paid yet: the channel paid another amount by itself, see the task refund.disagrees',
}

/** A person's word on the money. @throws Invalid when no amount is known, or it is more than was paid. */
export async function refundByPerson(runtime: Runtime, returnId: string, amountMinor: number | null): Promise<string> {
  const before = await readReturn(runtime.pool, returnId)
  const { result } = await changeOrder(runtime.pool, before.orderId, 'world', async (record, tx) => {
    const row = await readReturn(tx, returnId)
    const amount = amountMinor ?? valueOf(inspected(row), record.lines, record.doc.totals)
    if (amount === null || amount <= 0)
      throw new OmnisagaError('Invalid', 'how much is not known', { code: 'refundAmount', remedy: 'Name amountMinor.' })
    const how = await requestRefund(tx, record, {
      key: `${row.id}/${row.refundedPieces}`,
      amountMinor: amount,
      lines: [],
      reason: row.reason,
      byPerson: true,
    })
    return { how, amount }
  })
  return `${(result.amount / 100).toFixed(2)} ${BECAME[result.how]}`
}
