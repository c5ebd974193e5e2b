/** The outbox's dispatcher: every fact owed is told until it is acknowledged; what cannot be told becomes a task. */
import type { Booking, Connector, ConnectorContext } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { readOrder, type OrderRecord, type ParcelRecord } from '../store/orderRecord.ts'
import { acknowledge, leaseOutbox, retryOwed, type OwedRow } from '../store/outbox.ts'
import { closeTasks } from '../store/tasks.ts'
import { parcelRequest } from './order/parcelRequest.ts'
import { eachLane } from './intake.ts'
import { notTold } from './notTold.ts'
import type { Runtime } from './runtime.ts'
import { stopAndTell } from './stopped.ts'
import { writeWorkbooks } from './workbook.ts'

/** One round. Connections are served side by side, so that a slow one holds up nobody else. @returns how many facts were taken. */
export async function dispatchOutbox(runtime: Runtime, options: { limit?: number; leaseMs?: number } = {}): Promise<number> {
  const owed = await leaseOutbox(runtime.pool, options.limit ?? 200, 50, options.leaseMs)
  const workbooks = owed.filter((fact) => fact.payload.workbook === true)
  await Promise.all([
    writeWorkbooks(runtime, workbooks),
    eachLane(
      owed.filter((fact) => !workbooks.includes(fact)),
      (fact) => `${fact.connection}/${fact.orderId}`,
      (fact) => tell(runtime, fact),
    ),
  ])
  return owed.length
}

async function tell(runtime: Runtime, fact: OwedRow): Promise<void> {
  try {
    const { connector, context } = await runtime.connection(fact.connection)
    if ((await deliver(runtime, connector, context, fact)) === 'later')
      return await retryOwed(
        runtime.pool,
        fact.id,
        Math.min(60_000, 1_000 * 2 ** Math.min(fact.attempts, 6)),
        'what it builds on is not sent yet',
      )
    await acknowledge(runtime.pool, fact.id)
    await closeTasks(runtime.pool, { key: `outbox:${fact.key}` }, 'told')
  } catch (error) {
    await notTold(runtime, fact, error)
  }
}

async function deliver(
  runtime: Runtime,
  connector: Connector,
  context: ConnectorContext,
  fact: OwedRow,
): Promise<'told' | 'later'> {
  const record = await readOrder(runtime.pool, fact.orderId)
  const parcel = record.parcels.find((candidate) => candidate.id === fact.payload.parcelId)
  if (
    parcel !== undefined &&
    parcel.state !== 'void' &&
    parcel.waybill === null &&
    !(await learnWaybill(runtime, record, parcel))
  )
    return 'later'
  switch (fact.kind) {
    case 'tracking':
      if (parcel?.waybill && parcel.state !== 'void')
        await connector.writeTracking?.(context, {
          externalId: record.doc.externalId,
          key: fact.key,
          waybill: parcel.waybill,
          courier: parcel.service,
          lines: toldLines(record, parcel.unitId),
        })
      return 'told'
    case 'cancelled':
      await connector.cancelOrder?.(context, { externalId: record.doc.externalId, reason: String(fact.payload.reason ?? '') })
      return 'told'
    case 'label':
      if (!parcel?.waybill || parcel.state === 'void') return 'told'
      await connector.warehouse?.sendLabel(context, {
        unitId: parcel.unitId,
        waybill: parcel.waybill,
        courier: parcel.service,
        amountDueMinor: parcel.amountDueMinor,
        notes: [record.doc.notes, record.doc.delivery.askedTime].filter(Boolean).join(' / ') || null,
        key: fact.key,
      })
      return 'told'
    case 'recall': {
      const unitId = String(fact.payload.unitId)
      // Let go meanwhile.
      if (record.unit(unitId).state !== 'recalling') return 'told'
      const wave = await runtime.pool.query<{ state: string }>(
        'select w.state from units u join waves w on w.id = u.wave_id where u.id = $1',
        [unitId],
      )
      if (wave.rows[0]?.state === 'open') return 'later'
      await connector.warehouse?.sendCancel(context, {
        unitId,
        reason: String(record.facts.cancelRequested?.reason ?? 'cancelled'),
        key: fact.key,
      })
      return 'told'
    }
  }
}

const toldLines = (record: OrderRecord, unitId: string) =>
  record.unit(unitId).lines.map(({ lineId, sku, packed }) => ({
    lineId,
    sku,
    externalSku: record.line(lineId).externalSku,
    quantity: packed,
  }))

/** Some couriers number a parcel only after it was booked: asked again until they have. */
async function learnWaybill(runtime: Runtime, record: OrderRecord, parcel: ParcelRecord): Promise<boolean> {
  let booking: Booking | null | undefined
  try {
    const { connector, context } = await runtime.connection(parcel.courier)
    if (context.connection.paused) return false
    booking = await connector.courier?.lookUp(context, await parcelRequest(runtime.pool, record, parcel))
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Misconfigured') throw error
    // The courier's fault, not that of whoever is to be told.
    if (error.code !== 'stopped') await stopAndTell(runtime.pool, parcel.courier, error)
    return false
  }
  if (!booking?.waybill) return false
  parcel.waybill = booking.waybill
  await runtime.pool.query('update parcels set waybill = $2 where id = $1 and waybill is null', [parcel.id, booking.waybill])
  return true
}
