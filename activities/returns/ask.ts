/** A return is asked for: approved by the rules, else by a person. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { OrderLine } from '../../domain/order.ts'
import { valueOf, whyAsk, type ReturnWay } from '../../domain/returns.ts'
import type { Queryable, Tx } from '../../store/db.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import {
  addReturn,
  claimedPieces,
  deliveredAt,
  findReturnByKey,
  productsOf,
  readReturn,
  updateReturn,
  type Pickup,
  type ReturnRow,
} from '../../store/returns.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { intendReturnParcel } from './book.ts'
import { cancelExchange, openExchange } from './exchange.ts'
import { tellChannel } from './tellChannel.ts'

export interface WantedReturn {
  /** Of this request: asked twice, it is one return. */
  key: string
  lines: { lineId: string; quantity: number }[]
  reason: string
  way: Exclude<ReturnWay, 'cameBack'>
  /** Where the goods shall come; null: where they left from, if parcels are received there. */
  location: string | null
  pickup: Pickup | null
  /** Other goods wanted instead. */
  exchange: { lines: OrderLine[] } | null
  /** Of a return that was asked for at the channel. */
  channel?: ReturnRow['channel']
}

const invalid = (message: string, remedy: string, code = 'return') => new OmnisagaError('Invalid', message, { code, remedy })

/** @returns the return, `isNew` false when it was asked for before. @throws Invalid for pieces that the customer does not have. */
export async function askReturn(
  runtime: Runtime,
  orderId: string,
  wanted: WantedReturn,
  by: string,
): Promise<{ row: ReturnRow; isNew: boolean }> {
  const { returns: policy } = await runtime.policy()
  const { result } = await changeOrder(runtime.pool, orderId, 'world', async (record, tx) => {
    const known = await findReturnByKey(tx, wanted.key)
    if (known !== null) return { row: known, isNew: false }
    const lines = await takenBack(tx, record, wanted.lines)
    const location = await destinationOf(tx, record, wanted.location ?? policy.locations.restock)
    const because = whyAsk(policy, {
      products: await productsOf(tx, [...new Set(lines.map(({ sku }) => sku))]),
      valueMinor: valueOf(wanted.lines, record.lines, record.doc.totals),
      deliveredAt: await deliveredAt(tx, record.id),
      now: new Date(),
    })
    const row = await addReturn(tx, {
      ...wanted,
      orderId,
      unitId: null,
      state: 'asked',
      location,
      because,
      by,
      dueAt: null,
      lines,
    })
    if (because.length > 0) await askPerson(tx, record, row)
    else await approve(runtime, tx, record, row, 'the rules')
    return { row: await readReturn(tx, row.id), isNew: true }
  })
  if (result.row.exchange !== null) await openExchange(runtime, result.row.id)
  return { ...result, row: await readReturn(runtime.pool, result.row.id) }
}

/** Pieces of each line that were delivered and are not asked back or back already. */
export async function withCustomer(db: Queryable, record: OrderRecord): Promise<Map<string, number>> {
  const claimed = await claimedPieces(db, record.id)
  const has = new Map<string, number>()
  for (const { lineId, packed } of record.units.filter(({ state }) => state === 'delivered').flatMap(({ lines }) => lines))
    has.set(lineId, (has.get(lineId) ?? 0) + packed)
  return new Map([...has].map(([lineId, count]) => [lineId, Math.max(0, count - (claimed.get(lineId) ?? 0))]))
}

/** @throws Invalid: a line the order does not have, or more pieces than the customer has. */
async function takenBack(tx: Tx, record: OrderRecord, asked: WantedReturn['lines']): Promise<ReturnRow['lines']> {
  const has = await withCustomer(tx, record)
  if (new Set(asked.map(({ lineId }) => lineId)).size < asked.length)
    throw invalid('a line is named twice', 'Name each line once.')
  return asked.map(({ lineId, quantity }) => {
    const line = record.lines.find((each) => each.lineId === lineId)
    if (line?.sku == null)
      throw invalid(`there is no line ${lineId}`, `Lines are ${record.lines.map((each) => each.lineId).join(', ')}.`)
    const most = has.get(lineId) ?? 0
    if (quantity > most)
      throw invalid(
        `of line ${lineId} the customer has ${most} that can come back, not ${quantity}`,
        'What was not delivered is cancelled; what is asked back already is not asked for again.',
      )
    return { lineId, sku: line.sku, quantity, received: 0 }
  })
}

/** @throws Invalid: no such location, or none that takes parcels. */
async function destinationOf(tx: Queryable, record: OrderRecord, wished: string | null): Promise<string> {
  const from = record.units.find(({ state }) => state === 'delivered')?.location ?? null
  const rows = await tx.query<{ id: string }>(
    `select id from locations where case when $1::text is null then kind in ('warehouse', 'store') and (ships or id = $2) else id = $1 end
     order by (id = $2) and ships desc, ships desc, priority, id limit 1`,
    [wished, from],
  )
  const found = rows.rows[0]?.id
  if (found === undefined)
    throw invalid(
      wished === null ? 'no location takes returns' : `there is no location ${wished}`,
      'Name a location of the configuration.',
    )
  return found
}

const pieces = (row: ReturnRow) => row.lines.map(({ quantity, sku }) => `${quantity} × ${sku}`).join(', ')

async function askPerson(tx: Tx, record: OrderRecord, row: ReturnRow): Promise<void> {
  // The channel tells those who asked there.
  if (row.channel === null) record.tellCustomer({ key: `${row.id}:asked`, template: 'returnAsked' })
  await openTask(tx, {
    kind: 'return.approve',
    key: `return:${row.id}:approve`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'A return waits for your word',
    detail: `${pieces(row)} of order ${record.doc.externalId} (${row.reason}): ${row.because.join('; ')}.`,
    remedy: 'approve: the customer is told how to send it. refuse: they are told so.',
    field: 'return',
    value: row.id,
    actions: ['approve', 'refuse'],
  })
}

async function approve(runtime: Runtime, tx: Tx, record: OrderRecord, row: ReturnRow, by: string): Promise<void> {
  const { returns: policy } = await runtime.policy()
  const dueAt = new Date(Date.now() + policy.sendWithinDays * 86_400_000).toISOString()
  await updateReturn(tx, row.id, { state: 'approved', decidedBy: by, dueAt })
  await closeTasks(tx, { key: `return:${row.id}:approve` }, 'approved', by)
  if (row.channel === null)
    record.tellCustomer({ key: `${row.id}:approved`, template: 'returnApproved', data: { location: row.location, until: dueAt } })
  else if (!by.startsWith('channel:')) await tellChannel(tx, record, row, 'approved')
  if (row.way === 'courier' || row.way === 'cvs') await intendReturnParcel(runtime, tx, record, row)
}

const refusedNow = (row: ReturnRow, what: string) =>
  new OmnisagaError('Rejected', `return ${row.id} is ${row.state}, it cannot be ${what}`, {
    code: 'returnState',
    remedy:
      row.state === 'approved'
        ? 'It can be cancelled, or its goods received.'
        : row.state === 'received'
          ? 'Its goods are here: inspect them.'
          : 'Ask for a new return if the goods come back after all.',
  })

/** A person's word on a return. @throws Rejected when it is decided already. */
export async function decideReturn(
  runtime: Runtime,
  returnId: string,
  word: 'approve' | 'refuse' | 'cancel',
  by: string,
): Promise<ReturnRow> {
  const before = await readReturn(runtime.pool, returnId)
  await changeOrder(runtime.pool, before.orderId, 'world', async (record, tx) => {
    const row = await readReturn(tx, returnId)
    if (word === 'approve') {
      if (row.state === 'approved') return
      if (row.state !== 'asked' && row.state !== 'refused') throw refusedNow(row, 'approved')
      return await approve(runtime, tx, record, row, by)
    }
    const state = word === 'refuse' ? 'refused' : 'cancelled'
    if (row.state === state) return
    if (row.state !== 'asked' && !(word === 'cancel' && row.state === 'approved' && row.way !== 'cameBack'))
      throw refusedNow(row, state)
    await updateReturn(tx, returnId, { state, decidedBy: by })
    await closeTasks(tx, { prefix: `return:${returnId}:` }, state, by)
    if (row.channel !== null && !by.startsWith('channel:')) await tellChannel(tx, record, row, state)
    if (word === 'refuse' && row.channel === null) record.tellCustomer({ key: `${returnId}:refused`, template: 'returnRefused' })
    if (row.channel === null && row.parcels.some((parcel) => ['booked', 'shipped', 'sent'].includes(parcel.state)))
      await tellOfParcel(tx, record, row)
    await tx.query(`update return_parcels set state = 'void' where return_id = $1 and state = 'intended'`, [returnId])
  })
  if (word === 'approve') await openExchange(runtime, returnId)
  else await cancelExchange(runtime, returnId, `the return was ${word === 'refuse' ? 'refused' : 'cancelled'}`)
  return await readReturn(runtime.pool, returnId)
}

/** No courier of ours calls a return off: a person does. */
async function tellOfParcel(tx: Tx, record: OrderRecord, row: ReturnRow): Promise<void> {
  const parcel = row.parcels.at(-1)
  await openTask(tx, {
    kind: 'return.booked',
    key: `return:${row.id}:booked`,
    orderId: record.id,
    connection: parcel?.courier ?? null,
    subject: record.doc.externalId,
    title: 'A courier may still fetch a return that was called off',
    detail: `${parcel?.waybill ?? parcel?.courierBookingId ?? parcel?.reference} of order ${record.doc.externalId} at ${parcel?.courier}.`,
    remedy: 'Call it off at the courier, then skip.',
    field: 'return',
    value: row.id,
    actions: ['skip'],
  })
}
