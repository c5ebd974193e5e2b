/** The parcel that brings a return: intended with the approval, booked by the round, never twice. */
import type { Connector, ReturnRequest } from '../../connectors/kit/types.ts'
import type { Action } from '../../domain/actions.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { valueOf } from '../../domain/returns.ts'
import type { Queryable, Tx } from '../../store/db.ts'
import { changeOrder, readOrder, type OrderRecord, type ParcelRecord } from '../../store/orderRecord.ts'
import { addReturnParcel, readReturn, type ReturnParcel, type ReturnRow } from '../../store/returns.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { stopAndTell } from '../stopped.ts'

const RETRY_MS = 60_000
const BATCH = 20

/** The parcel that brought the goods, when its way was the same: some couriers fetch what they have delivered. */
function originalOf(record: OrderRecord, row: ReturnRow): ParcelRecord | null {
  const isCvs = record.doc.delivery.method === 'cvs'
  if ((row.way === 'cvs') !== isCvs) return null
  const lines = new Set(row.lines.map(({ lineId }) => lineId))
  const unit = record.units.find((each) => each.state === 'delivered' && each.lines.some(({ lineId }) => lines.has(lineId)))
  const parcel = unit === undefined ? null : record.parcelOf(unit.id)
  return parcel !== null && parcel.state === 'delivered' && parcel.service !== 'channel' ? parcel : null
}

/** Whoever brought it, else the courier of the place where it shall come. Nobody: a person arranges it. */
export async function intendReturnParcel(runtime: Runtime, tx: Tx, record: OrderRecord, row: ReturnRow): Promise<void> {
  const kind = row.way === 'cvs' ? 'cvs' : 'home'
  const original = originalOf(record, row)
  const rows = await tx.query<{ courier: string | null }>(`select courier_${kind} as courier from locations where id = $1`, [
    row.location,
  ])
  for (const name of new Set([original?.courier, rows.rows[0]?.courier])) {
    if (!name) continue
    const { connector, context } = await runtime.connection(name, { evenIfStopped: true })
    if (connector.courier?.bookReturn === undefined) continue
    if (name === original?.courier) return await addReturnParcel(tx, row, original)
    const service = serviceOf(connector, context.connection.config, record, kind)
    if (service !== null) return await addReturnParcel(tx, row, { courier: name, service })
  }
  await leaveToPerson(
    tx,
    record,
    row,
    'no courier of ours fetches it',
    'Arrange it with the customer, then skip; or cancel the return.',
  )
}

function serviceOf(connector: Connector, config: unknown, record: OrderRecord, method: 'home' | 'cvs'): string | null {
  try {
    return connector.courier?.serviceFor(config, { method, chain: record.doc.delivery.cvs?.chain ?? null, wished: null }) ?? null
  } catch (error) {
    if (error instanceof OmnisagaError) return null // it has no service for this way: another courier, or a person
    throw error
  }
}

async function leaveToPerson(
  tx: Queryable,
  record: OrderRecord,
  row: ReturnRow,
  why: string,
  remedy: string,
  actions: readonly Action[] = ['retry', 'skip'],
): Promise<void> {
  await openTask(tx, {
    kind: 'return.book',
    key: `return:${row.id}:book`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'A return parcel could not be booked',
    detail: `The return of ${row.lines.map(({ quantity, sku }) => `${quantity} × ${sku}`).join(', ')} of order ${record.doc.externalId}: ${why}.`,
    remedy,
    field: 'return',
    value: row.id,
    actions,
  })
}

/** @returns how many were taken. Runs in one worker at a time. */
export async function bookReturns(runtime: Runtime): Promise<number> {
  const due = await runtime.pool.query<{ id: string; returnId: string; state: string }>(
    `select p.id, p.return_id as "returnId", p.state from return_parcels p join returns r on r.id = p.return_id
     join connections c on c.name = p.courier left join connection_state s on s.connection = p.courier
     where p.due_at <= now() and r.state = 'approved' and not c.paused and s.stopped_reason is null
       and (p.state = 'intended' or p.state = 'sent') order by p.due_at limit $1`,
    [BATCH],
  )
  for (const { id, returnId } of due.rows) await bookOne(runtime, returnId, id)
  return due.rows.length
}

const UNKNOWN = 'whether the courier has booked it is not known'

async function bookOne(runtime: Runtime, returnId: string, parcelId: string): Promise<void> {
  const before = await readReturn(runtime.pool, returnId)
  const record = await readOrder(runtime.pool, before.orderId)
  const claimed = await runtime.pool.query<{ was: string }>(
    `update return_parcels p set state = 'sent', attempts = p.attempts + 1, due_at = now() + interval '2 minutes'
     from return_parcels o where p.id = $1 and o.id = p.id and p.state in ('intended', 'sent') and p.due_at <= now() returning o.state as was`,
    [parcelId],
  )
  const was = claimed.rows[0]?.was
  const parcel = before.parcels.find(({ id }) => id === parcelId)
  if (was === undefined || parcel === undefined) return
  const { connector, context } = await runtime.connection(parcel.courier)
  const courier = connector.courier
  if (courier?.bookReturn === undefined)
    return await refused(runtime, before, parcelId, `${connector.title} books no returns`, 'Arrange it by hand, then skip.')
  try {
    // Sent by a process that died: couriers give a return no number of ours by which it could be looked up.
    if (was === 'sent') throw new OmnisagaError('OutcomeUnknown', UNKNOWN)
    const booking = await courier.bookReturn(context, await returnRequest(runtime, record, before, parcel))
    await runtime.pool.query(
      `update return_parcels set state = 'booked', waybill = $2, courier_booking_id = $3, label = $4 where id = $1 and state = 'sent'`,
      [parcelId, booking.waybill, booking.courierBookingId, booking.label],
    )
    await closeTasks(runtime.pool, { key: `return:${returnId}:book` }, 'booked')
    await changeOrder(runtime.pool, record.id, 'world', (current) =>
      current.tellCustomer({ key: `${parcelId}:booked`, template: 'returnBooked', data: { waybill: booking.waybill } }),
    )
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    if (error.kind === 'Misconfigured') await stopAndTell(runtime.pool, parcel.courier, error)
    if (error.kind === 'OutcomeUnknown')
      return await refused(
        runtime,
        before,
        parcelId,
        UNKNOWN,
        `${error.remedy ?? 'Ask the courier.'} It is there: skip. It is not: retry.`,
      )
    if (error.kind === 'Rejected' || error.kind === 'Invalid')
      return await refused(runtime, before, parcelId, error.message, error.remedy ?? 'Arrange it by hand and skip, or retry.')
    // It certainly did not reach the courier: once more, later.
    await runtime.pool.query(
      `update return_parcels set state = 'intended', due_at = now() + $2 * interval '1 millisecond' where id = $1 and state = 'sent'`,
      [parcelId, error.retryAfterMs ?? RETRY_MS],
    )
  }
}

async function refused(runtime: Runtime, row: ReturnRow, parcelId: string, why: string, remedy: string): Promise<void> {
  await changeOrder(runtime.pool, row.orderId, 'world', async (record, tx) => {
    await tx.query(`update return_parcels set state = 'refused', refusal = $2 where id = $1`, [parcelId, why])
    await leaveToPerson(tx, record, row, why, remedy)
  })
}

/** A person says: book it once more. */
export async function bookReturnAgain(runtime: Runtime, returnId: string): Promise<void> {
  const before = await readReturn(runtime.pool, returnId)
  await changeOrder(runtime.pool, before.orderId, 'world', async (record, tx) => {
    const row = await readReturn(tx, returnId)
    if (row.state === 'approved') await intendReturnParcel(runtime, tx, record, row)
  })
}

async function returnRequest(
  runtime: Runtime,
  record: OrderRecord,
  row: ReturnRow,
  parcel: ReturnParcel,
): Promise<ReturnRequest> {
  const rows = await runtime.pool.query<{ name: string; sender: Record<string, string | undefined> }>(
    'select name, sender from locations where id = $1',
    [row.location],
  )
  const to = rows.rows[0]
  const { recipient, delivery, buyer } = record.doc
  const at = recipient.address
  const original = originalOf(record, row)
  const label = await runtime.pool.query<{ label: Record<string, unknown> | null }>('select label from parcels where id = $1', [
    original?.id ?? null,
  ])
  const isSame = original !== null && original.courier === parcel.courier && original.courierBookingId !== null
  return {
    reference: parcel.reference,
    service: parcel.service,
    method: row.way === 'cvs' ? 'cvs' : 'home',
    cvs: null,
    sender:
      row.pickup === null
        ? {
            name: recipient.name ?? buyer.name ?? '',
            phone: recipient.phone ?? buyer.phone ?? '',
            postalCode: at?.postalCode ?? '',
            address: at === null ? '' : [at.city, at.district, at.line].filter(Boolean).join('') || (at.raw ?? ''),
          }
        : { ...row.pickup, postalCode: row.pickup.postalCode ?? '' },
    recipient: {
      name: to?.sender.name ?? to?.name ?? '',
      phone: to?.sender.phone ?? '',
      postalCode: to?.sender.postalCode ?? null,
      city: null,
      district: null,
      address: to?.sender.address ?? null,
    },
    goodsName: row.lines.map(({ lineId, sku }) => record.line(lineId).name ?? sku).join(' '),
    goodsAmountMinor: Math.max(100, valueOf(row.lines, record.lines, record.doc.totals) ?? 0),
    amountDueMinor: 0,
    weightGrams: null,
    temperature: 'ambient',
    askedTime: null,
    notes: delivery.method === 'cvs' ? null : row.reason,
    channelOrder: null,
    original: isSame
      ? {
          reference: original.reference,
          courierBookingId: original.courierBookingId ?? '',
          waybill: original.waybill,
          service: original.service,
          label: label.rows[0]?.label ?? {},
        }
      : null,
  }
}
