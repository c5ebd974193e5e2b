/** What a customer is shown before they agree: lines, amounts, ways of delivery that can be kept; and the voucher they show. */
import { pickupVouchers } from '../../documents/small.ts'
import { localTime } from '../../domain/localTime.ts'
import { evidenceOf, type KeptEvidence } from '../../store/evidence.ts'
import { readOrder } from '../../store/orderRecord.ts'
import { vouchersOf } from '../../store/vouchers.ts'
import { deliveryOptions, type DeliveryOption } from '../deliveryOptions.ts'
import type { Runtime } from '../runtime.ts'
import { alternatives } from './alternatives.ts'

export interface OrderPreview {
  orderId: string
  externalId: string
  phase: string
  lines: {
    lineId: string
    sku: string | null
    name: string | null
    variant: string | null
    quantity: number
    unitPriceMinor: number | null
    sumMinor: number | null
    /** Pieces that are set apart for this order. */
    held: number
    /** Of what is not there: the local date at which it is expected. */
    expectedOn: string | null
  }[]
  amounts: {
    itemsMinor: number | null
    shippingMinor: number | null
    discountMinor: number | null
    totalMinor: number | null
    amountDueMinor: number
    currency: string
  }
  delivery: { method: string; location: string | null }
  choices: DeliveryOption[]
  evidence: KeptEvidence[]
}

export async function previewOrder(runtime: Runtime, orderId: string): Promise<OrderPreview> {
  const record = await readOrder(runtime.pool, orderId)
  const { doc } = record
  const wanted = record.lines.filter((line) => line.ordered > line.cancelled)
  const lines = await Promise.all(
    wanted.map(async (line) => {
      const quantity = line.ordered - line.cancelled
      const soon =
        line.held >= quantity || line.sku === null
          ? []
          : (await alternatives(runtime, line.sku, doc.delivery.location ?? '')).expected
      return {
        lineId: line.lineId,
        sku: line.sku,
        name: line.name,
        variant: line.variant,
        quantity,
        unitPriceMinor: line.unitPriceMinor,
        sumMinor: line.unitPriceMinor === null ? null : quantity * line.unitPriceMinor,
        held: Math.min(line.held, quantity),
        expectedOn: soon[0]?.expectedOn ?? null,
      }
    }),
  )
  const { itemsMinor, shippingMinor, discountMinor, totalMinor } = doc.totals
  const known = lines.flatMap(({ sku, quantity }) => (sku === null ? [] : [{ sku, quantity }]))
  return {
    orderId,
    externalId: doc.externalId,
    phase: record.phase,
    lines,
    amounts: {
      itemsMinor,
      shippingMinor,
      discountMinor,
      totalMinor,
      amountDueMinor: doc.payment.amountDueMinor,
      currency: doc.payment.currency,
    },
    delivery: { method: doc.delivery.method, location: doc.delivery.location },
    choices:
      known.length === 0
        ? []
        : await deliveryOptions(runtime, {
            channel: doc.channel,
            postalCode: doc.recipient.address?.postalCode ?? null,
            lines: known,
            cod: doc.payment.method === 'cod',
            valueMinor: totalMinor ?? itemsMinor ?? 0,
            heldBy: orderId,
          }),
    evidence: await evidenceOf(runtime.pool, orderId),
  }
}

/** A page a voucher that is still good. @returns null when nothing waits to be picked up. */
export async function voucherPdf(runtime: Runtime, orderId: string): Promise<Buffer | null> {
  const record = await readOrder(runtime.pool, orderId)
  const good = (await vouchersOf(runtime.pool, orderId)).filter(
    (voucher) => voucher.usedAt === null && record.unit(voucher.unitId).state === 'packed',
  )
  if (good.length === 0) return null
  const { rows } = await runtime.pool.query<{ id: string; name: string; zone: string }>(
    'select id, name, zone from locations where id = any($1)',
    [good.map((voucher) => voucher.location)],
  )
  const { payment, externalId } = record.doc
  return await pickupVouchers(
    good.map(({ code, unitId, location, expiresAt }) => {
      const place = rows.find((row) => row.id === location)
      return {
        code,
        orderNumber: externalId,
        store: place?.name ?? location,
        until: localTime(expiresAt, place?.zone ?? 'Asia/Taipei').date,
        pieces: record.unit(unitId).lines.reduce((sum, line) => sum + line.packed, 0),
        amountDueMinor: payment.method === 'cod' && payment.state !== 'collected' ? payment.amountDueMinor : 0,
        currency: payment.currency,
      }
    }),
    new Date(),
  )
}
