/** How each fact is told to its participant, from the order as it is now. */
import type { Booking, ParcelRequest } from '../connectors/kit/types.ts'
import { toWholes } from '../domain/bundle.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { one } from '../store/db.ts'
import { readOrder, type OrderRecord, type ParcelRecord } from '../store/orderRecord.ts'
import type { OwedKind, OwedRow } from '../store/outbox.ts'
import { findParcels } from '../store/parcels.ts'
import { refundPayload } from '../store/refunds.ts'
import { erpTellers } from './erp.ts'
import { bookedOf } from './labels.ts'
import { sendNotice } from './notices.ts'
import { parcelRequest } from './order/parcelRequest.ts'
import { beforePaying } from './paidThere.ts'
import type { Runtime } from './runtime.ts'
import { stopAndTell } from './stopped.ts'
import type { Teller, Telling } from './teller.ts'

const TOLD = { told: null }

export async function tell(runtime: Runtime, fact: OwedRow): Promise<Telling> {
  if (fact.kind === 'notice') return await sendNotice(runtime, fact)
  const { connector, context } = await runtime.connection(fact.connection ?? '')
  const record = await readOrder(runtime.pool, fact.orderId)
  const parcel = record.parcels.find((candidate) => candidate.id === fact.payload.parcelId)
  if (parcel !== undefined && parcel.state === 'void') return { skipped: 'the booking was cancelled' }
  if (parcel !== undefined && parcel.waybill === null && !(await learnWaybill(runtime, record, parcel)))
    return { later: 'its waybill is not known yet' }
  return await tellers[fact.kind]({ runtime, connector, context, fact, record, parcel })
}

const tellers: Record<Exclude<OwedKind, 'notice'>, Teller> = {
  ...erpTellers,

  async placed({ connector, context, record }) {
    await connector.acknowledgeOrder?.(context, { externalId: record.doc.externalId, orderId: record.id })
    return TOLD
  },

  async tracking({ connector, context, fact, record, parcel }) {
    if (!parcel?.waybill) return { skipped: 'there is no parcel' }
    await connector.writeTracking?.(context, {
      externalId: record.doc.externalId,
      key: fact.key,
      waybill: parcel.waybill,
      courier: parcel.service,
      lines: toldLines(record, parcel.unitId),
    })
    return TOLD
  },

  async delivered({ runtime, connector, context, fact, record }) {
    const carried = record.parcelOf(String(fact.payload.unitId))
    // Over the counter, or carried by the channel itself: it has no number of ours to hear about.
    if (!carried?.waybill || carried.service === 'channel') return { skipped: 'no parcel that the channel knows' }
    const rows = await runtime.pool.query<{ at: Date | null }>('select delivered_at as at from parcels where id = $1', [
      carried.id,
    ])
    const at = (rows.rows[0]?.at ?? new Date()).toISOString()
    await connector.writeDelivered?.(context, { externalId: record.doc.externalId, waybill: carried.waybill, at })
    return TOLD
  },

  async cancelled({ connector, context, fact, record }) {
    await connector.cancelOrder?.(context, { externalId: record.doc.externalId, reason: String(fact.payload.reason ?? '') })
    return TOLD
  },

  async refund(matter) {
    const { connector, context, fact, record } = matter
    const judged = await beforePaying(matter)
    if (!('payMinor' in judged)) return judged
    const { currency, reason, lines } = refundPayload(fact)
    const { refundId } = (await connector.refund?.(context, {
      externalId: record.doc.externalId,
      key: fact.key,
      amountMinor: judged.payMinor,
      currency,
      lines,
      reason,
    })) ?? { refundId: null }
    return { told: { id: refundId } }
  },

  async label({ connector, context, fact, record, parcel }) {
    if (!parcel?.waybill) return { skipped: 'there is no parcel' }
    await connector.warehouse?.sendLabel(context, {
      unitId: parcel.unitId,
      waybill: parcel.waybill,
      courier: parcel.service,
      amountDueMinor: parcel.amountDueMinor,
      notes: [record.doc.notes, record.doc.delivery.askedTime].filter(Boolean).join(' / ') || null,
      key: fact.key,
    })
    return TOLD
  },

  async recall({ runtime, connector, context, fact, record }) {
    const unitId = String(fact.payload.unitId)
    if (record.unit(unitId).state !== 'recalling') return { skipped: 'let go meanwhile' }
    const wave = await runtime.pool.query<{ state: string }>(
      'select w.state from units u join waves w on w.id = u.wave_id where u.id = $1',
      [unitId],
    )
    if (wave.rows[0]?.state === 'open') return { later: 'what it builds on is not sent yet' }
    await connector.warehouse?.sendCancel(context, {
      unitId,
      reason: String(record.facts.cancelRequested?.reason ?? 'cancelled'),
      key: fact.key,
    })
    return TOLD
  },

  async pickupStore({ runtime, connector, context, fact, parcel }) {
    if (!parcel || !['booked', 'shipped'].includes(parcel.state)) return { skipped: `the parcel is ${parcel?.state ?? 'gone'}` }
    const storeId = String(fact.payload.storeId)
    try {
      const [known] = await findParcels(runtime.pool, parcel.id)
      if (connector.courier?.changeStore === undefined || known === undefined)
        throw new OmnisagaError('Rejected', `${parcel.courier} has no call for it`, { code: 'no-such-call' })
      await connector.courier.changeStore(context, bookedOf(known), storeId)
      return TOLD
    } catch (error) {
      if (!(error instanceof OmnisagaError) || (error.kind !== 'Rejected' && error.kind !== 'Invalid')) throw error
      throw new OmnisagaError(
        error.kind,
        `${parcel.waybill ?? parcel.reference} does not go to store ${storeId}: ${error.message}`,
        {
          code: error.code,
          remedy: 'Ask the courier; without another store it comes back and is received like one that nobody collected.',
        },
      )
    }
  },

  async registered({ connector, context, parcel }) {
    if (parcel !== undefined && parcel.ridesIn !== null) return { skipped: 'it goes along in a parcel that is followed' }
    if (!parcel?.waybill) return { skipped: 'there is no parcel' }
    const { waybill, courier, service, reference } = parcel
    const [problem] = (await connector.tracker?.register(context, [{ waybill, courier, service, reference }])) ?? []
    if (problem !== undefined)
      throw new OmnisagaError('Rejected', `${waybill} is not followed: ${problem.error}`, {
        code: 'register',
        remedy: 'Register it by hand and skip; or correct how the connection names the courier, and retry.',
      })
    return TOLD
  },
}

/** As the channel knows them: a bundle that was taken apart is told as a whole. */
const toldLines = (record: OrderRecord, unitId: string) =>
  toWholes(
    record.unit(unitId).lines.map(({ lineId, sku, packed }) => ({
      lineId,
      sku: sku as string | null,
      externalSku: record.line(lineId).externalSku,
      quantity: packed,
    })),
    record.lines,
  )

/** Some couriers number a parcel only after it was booked: asked again until they have. */
async function learnWaybill(runtime: Runtime, record: OrderRecord, parcel: ParcelRecord): Promise<boolean> {
  let booking: Booking | null | undefined
  try {
    const { connector, context } = await runtime.connection(parcel.courier)
    if (context.connection.paused) return false
    booking = await connector.courier?.lookUp(context, await requestOfBox(runtime, record, parcel))
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Misconfigured') throw error
    // The courier's fault, not that of whoever is to be told.
    if (error.code !== 'stopped') await stopAndTell(runtime.pool, parcel.courier, error)
    return false
  }
  if (!booking?.waybill) return false
  parcel.waybill = booking.waybill
  await runtime.pool.query('update parcels set waybill = $2 where (id = $1 or rides_in = $1) and waybill is null', [
    parcel.ridesIn ?? parcel.id,
    booking.waybill,
  ])
  return true
}

/** The courier knows the parcel that was booked, not those that go along in it. */
async function requestOfBox(runtime: Runtime, record: OrderRecord, parcel: ParcelRecord): Promise<ParcelRequest> {
  if (parcel.ridesIn === null) return await parcelRequest(runtime.pool, record, parcel)
  const { rows } = await runtime.pool.query<{ orderId: string }>('select order_id as "orderId" from parcels where id = $1', [
    parcel.ridesIn,
  ])
  const carrier = await readOrder(runtime.pool, one(rows).orderId)
  const booked = carrier.parcels.find(({ id }) => id === parcel.ridesIn) ?? parcel
  return await parcelRequest(runtime.pool, carrier, booked)
}
