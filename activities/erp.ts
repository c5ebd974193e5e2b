/** An order in the words of an ERP, and how the books are told: the sale, each unit that left, what came back, or that it was no sale. */
import type { ErpLine, ErpParty, ErpReturn, ErpSale, ErpShipment, ErpSide } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import type { Recipient } from '../domain/order.ts'
import type { Queryable } from '../store/db.ts'
import type { LineRecord, OrderRecord } from '../store/orderRecord.ts'
import type { Matter, Teller, Telling } from './teller.ts'

const documentOf = ({ id, number }: { id: string; number: string | null }): Telling => ({ told: { id, number } })

const sideOf = ({ connector }: Matter): ErpSide => {
  if (connector.erp === undefined) throw new OmnisagaError('Misconfigured', `connector ${connector.name} keeps no books`)
  return connector.erp
}

/** @throws Rejected, code `no-sale`: the books have no sale to which it belongs. */
async function saleReferenceOf({ runtime, fact }: Matter): Promise<string> {
  const rows = await runtime.pool.query<{ reference: string }>(
    `select payload->>'reference' as reference from outbox where order_id = $1 and connection = $2 and kind = 'sale' and state = 'done'
     order by id desc limit 1`,
    [fact.orderId, fact.connection],
  )
  const reference = rows.rows[0]?.reference
  if (reference !== undefined) return reference
  throw new OmnisagaError('Rejected', 'the sale was never written there', {
    code: 'no-sale',
    remedy: 'Write the sale and this by hand and skip, or retry after the sale is written.',
  })
}

/** @returns true when the participant may have heard of it. */
async function wasTried(db: Queryable, { orderId, connection, payload }: Matter['fact']): Promise<boolean> {
  const rows = await db.query(
    `select from outbox where order_id = $1 and connection = $2 and kind = 'sale' and payload->>'reference' = $3 and state <> 'skipped'`,
    [orderId, connection, payload.reference],
  )
  return (rows.rowCount ?? 0) > 0
}

export const erpTellers: Record<'sale' | 'shipment' | 'saleCancelled' | 'goodsReturned', Teller> = {
  async sale(matter) {
    const { record, fact, context } = matter
    if (record.is('cancelled') && fact.attempts <= 1) return { skipped: 'cancelled before it was told' }
    // A changed order is confirmed anew.
    if (!record.is('confirmed') && !record.is('cancelled')) return { later: 'it is not confirmed' }
    return documentOf(await sideOf(matter).writeSale(context, erpSale(record, String(fact.payload.reference))))
  },

  async shipment(matter) {
    const { record, fact, context, runtime } = matter
    const unitId = String(fact.payload.unitId)
    const saleReference = await saleReferenceOf(matter)
    const rows = await runtime.pool.query<{ at: Date }>(
      `select coalesce(p.shipped_at, p.delivered_at, o.created_at) as at from outbox o
       left join parcels p on p.unit_id = $2 and p.state not in ('refused', 'void') where o.id = $1`,
      [fact.id, unitId],
    )
    const shippedAt = (rows.rows[0]?.at ?? new Date()).toISOString()
    return documentOf(await sideOf(matter).writeShipment(context, erpShipment(record, unitId, { saleReference, shippedAt })))
  },

  async saleCancelled(matter) {
    const { fact, context, runtime } = matter
    if (!(await wasTried(runtime.pool, fact))) return { skipped: 'the sale was never told' }
    const { reference, reason } = fact.payload
    await sideOf(matter).cancelSale(context, { reference: String(reference), reason: String(reason ?? '') })
    return { told: null }
  },

  async goodsReturned(matter) {
    const { record, fact, context, connector } = matter
    const write = sideOf(matter).writeReturn
    if (write === undefined)
      throw new OmnisagaError('Rejected', `${connector.title} is not told of returns`, {
        code: 'no-returns',
        remedy: 'Enter the return there by hand, then skip.',
      })
    const saleReference = await saleReferenceOf(matter)
    const at = (record.facts.returning?.at as string | undefined) ?? new Date().toISOString()
    if (typeof fact.payload.returnId === 'string')
      return documentOf(await write(context, await erpGivenBack(matter, saleReference)))
    return documentOf(await write(context, erpReturn(record, String(fact.payload.unitId), { saleReference, at })))
  },
}

const party = (
  who: { name: string | null; phone: string | null; email?: string | null },
  at: Recipient['address'],
): ErpParty => ({
  name: who.name,
  phone: who.phone,
  email: who.email ?? null,
  address: at && {
    postalCode: at.postalCode,
    city: at.city,
    district: at.district,
    line: at.line ?? at.raw,
    country: at.country,
  },
})

const erpLine = (line: LineRecord, sku: string, quantity: number): ErpLine => ({
  lineId: line.lineId,
  sku,
  name: line.name,
  quantity,
  unitPriceMinor: line.unitPriceMinor ?? 0,
})

/** What is wanted of the order now. Amounts that its source does not tell are what its lines add up to. */
export function erpSale(record: OrderRecord, reference: string): ErpSale {
  const { doc } = record
  const lines = record.lines
    .filter((line) => line.ordered > line.cancelled)
    .map((line) => erpLine(line, line.sku ?? line.externalSku ?? line.lineId, line.ordered - line.cancelled))
  const items = lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0)
  const [shippingMinor, discountMinor] = [doc.totals.shippingMinor ?? 0, doc.totals.discountMinor ?? 0]
  return {
    reference,
    channel: doc.channel,
    externalId: doc.externalId,
    placedAt: doc.placedAt,
    currency: doc.payment.currency,
    buyer: party(doc.buyer, doc.recipient.address),
    recipient: party(doc.recipient, doc.recipient.address),
    lines,
    shippingMinor,
    discountMinor,
    totalMinor: doc.totals.totalMinor ?? items + shippingMinor - discountMinor,
  }
}

const packedLines = (record: OrderRecord, unitId: string): ErpLine[] =>
  record
    .unit(unitId)
    .lines.filter((line) => line.packed > 0)
    .map((line) => erpLine(record.line(line.lineId), line.sku, line.packed))

function erpShipment(record: OrderRecord, unitId: string, more: { saleReference: string; shippedAt: string }): ErpShipment {
  const parcel = record.parcelOf(unitId)
  const isActive = parcel !== null && parcel.state !== 'void' && parcel.state !== 'refused'
  return {
    reference: unitId,
    ...more,
    location: record.unit(unitId).location,
    waybill: isActive ? parcel.waybill : null,
    courier: isActive ? parcel.service : null,
    lines: packedLines(record, unitId),
  }
}

/** Pieces that a customer gave back; `about` tells one arrival of a return from the next. */
async function erpGivenBack({ runtime, record, fact }: Matter, saleReference: string): Promise<ErpReturn> {
  const { about, returnId, lines } = fact.payload as {
    about: string
    returnId: string
    lines: { lineId: string; quantity: number }[]
  }
  const rows = await runtime.pool.query<{ location: string; at: Date }>(
    'select r.location, o.created_at as at from returns r join outbox o on o.id = $2 where r.id = $1',
    [returnId, fact.id],
  )
  return {
    reference: about,
    saleReference,
    location: rows.rows[0]?.location ?? '',
    at: (rows.rows[0]?.at ?? new Date()).toISOString(),
    lines: lines.map(({ lineId, quantity }) => {
      const line = record.line(lineId)
      return erpLine(line, line.sku ?? lineId, quantity)
    }),
  }
}

const erpReturn = (record: OrderRecord, unitId: string, more: { saleReference: string; at: string }): ErpReturn => ({
  reference: `${unitId}-r`,
  ...more,
  location: record.unit(unitId).location,
  lines: packedLines(record, unitId),
})
