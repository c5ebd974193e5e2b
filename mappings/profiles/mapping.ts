/**
 * The mapping that most layouts share: what its columns are, and what the channel's words mean, is data (`Layout`); how rows
 * become an order is here. Values of the order may stand on each of its rows or on the first alone.
 */
import type { IncomingOrder, OrderLine } from '../../domain/order.ts'
import { isMasked, parseDate } from '../normalise/index.ts'
import { deliveryOf, statusOf, type Words } from './meaning.ts'
import { amountOf, checkAgreement, contactOf, firstText, lineIds, neededCode, orNull, quantityOf } from './rows.ts'
import { Problems } from './types.ts'
import type { Field, MapContext, MappedRow, Profile } from './types.ts'

export interface Layout extends Omit<Profile, 'mapOrder' | 'lineFields' | 'orderFields' | 'runningFields'> {
  runningFields?: readonly Field[]
  /** Columns that repeat in every row are compared; those that are told apart on purpose are not. */
  mayDiffer?: readonly Field[]
  words?: Words
  /** Where a parcel goes when no column tells. @default 'home' */
  delivery?: 'home' | 'cvs' | 'storePickup' | 'handOver'
  /** @default 'prepaid' */
  payment?: 'prepaid' | 'cod'
  /** ISO 4217. @default 'TWD' */
  currency?: string
  /** Goods that have left, whatever the row says: a report, not work to be done. */
  alreadyGone?: boolean
  /** The last look at an order, for what only this channel means. */
  finish?(order: IncomingOrder, rows: MappedRow[], whole: MappedRow, problems: Problems): IncomingOrder
}

const LINE_FIELDS: readonly Field[] = [
  'serial',
  'lineNumber',
  'sku',
  'sku2',
  'itemId',
  'modelId',
  'productName',
  'variant',
  'quantity',
  'orderedQuantity',
  'cancelledQuantity',
  'unitPrice',
  'unitPrice2',
  'lineTotal',
  'gift',
  'needsShipping',
]
const ORDER_FIELDS: readonly Field[] = [
  'status',
  'recipientName',
  'phone',
  'phone2',
  'phone3',
  'address',
  'storeId',
  'chain',
  'delivery',
  'paymentMethod',
  'paymentState',
  'itemsTotal',
  'shippingFee',
  'orderTotal',
  'amountDue',
  'currency',
  'discount1',
  'discount2',
]

export function layoutProfile(layout: Layout): Profile {
  const orderFields = ORDER_FIELDS.filter((field) => field in layout.columns && !layout.mayDiffer?.includes(field))
  return {
    ...layout,
    lineFields: new Set(LINE_FIELDS),
    orderFields,
    runningFields: layout.runningFields ?? ['serial'],
    mapOrder: (rows, context, problems) => mapOrder(layout, orderFields, rows, context, problems),
  }
}

/** The order as one row: each field as the first row has it that has it. */
function wholeOf(rows: MappedRow[], first: MappedRow): MappedRow {
  const telling = (field: Field) => rows.find((row) => row.text(field) !== '')
  return {
    row: (telling('recipientName') ?? telling('address') ?? first).row,
    text: (field) => telling(field)?.text(field) ?? '',
    raw: (field) => telling(field)?.raw(field) ?? '',
    header: (field) => first.header(field),
  }
}

type Line = Omit<OrderLine, 'lineId'> & { key: string }

function lineOf(layout: Layout, row: MappedRow, problems: Problems): Line | null {
  const field: Field = row.text('sku') === '' && row.text('sku2') !== '' ? 'sku2' : 'sku'
  const cancelled = 'cancelledQuantity' in layout.columns
  // What the customer cancelled stays in the file with nothing to be sent.
  if (cancelled && /^0+(\.0+)?$/.test(row.text('quantity')) && isConsistent(row, problems)) return null
  const sku = neededCode(row, field, problems, 'The SKU')
  const quantity = quantityOf(row, problems)
  if (cancelled && quantity > 0) isConsistent(row, problems)
  const itemId = row.text('itemId')
  const key = itemId === '' ? sku : [itemId, row.text('modelId')].filter((part) => part !== '').join('_')
  return {
    key,
    sku,
    externalSku: orNull(key),
    name: orNull(row.text('productName')),
    variant: orNull(row.text('variant')),
    quantity,
    unitPriceMinor: priceOf(row, quantity, problems),
    gift: /^(是|y|yes|v|✓|✔|true|1|贈品|gift)$/i.test(row.text('gift')),
  }
}

/** To be sent is what was ordered less what was cancelled, where the file tells all three. */
function isConsistent(row: MappedRow, problems: Problems): boolean {
  const [ordered, cancelled, left] = (['orderedQuantity', 'cancelledQuantity', 'quantity'] as const).map((field) =>
    row.text(field) === '' ? null : Number(row.text(field).replaceAll(',', '')),
  )
  if (ordered === null || ordered === undefined || left === null || left === undefined) return true
  if (ordered - (cancelled ?? 0) === left) return true
  problems.add(
    row,
    'quantity',
    'sumsDisagree',
    `${row.header('orderedQuantity')} ${row.text('orderedQuantity')} less ${row.header('cancelledQuantity')} ${row.text('cancelledQuantity') || '0'} is not ${row.text('quantity')}. Correct the quantities and import the file again.`,
  )
  return false
}

/** The price of a piece; price times quantity must be the line's sum where the file has both. */
function priceOf(row: MappedRow, quantity: number, problems: Problems): number | null {
  const price = amountOf(row, row.text('unitPrice') === '' ? 'unitPrice2' : 'unitPrice', problems)
  const sum = amountOf(row, 'lineTotal', problems)
  if (sum === null || quantity <= 0) return price
  if (price === null) return Number.isInteger(sum / quantity) ? sum / quantity : null
  if (price * quantity !== sum) {
    problems.add(
      row,
      'lineTotal',
      'sumsDisagree',
      `${quantity} pieces at ${row.text('unitPrice') || row.text('unitPrice2')} do not make ${row.text('lineTotal')}. Correct price, quantity or sum and import the file again.`,
    )
  }
  return price
}

function totalsOf(whole: MappedRow, problems: Problems): IncomingOrder['totals'] {
  const discounts = (['discount1', 'discount2', 'discount3', 'discount4'] as const).map((field) =>
    amountOf(whole, field, problems),
  )
  return {
    itemsMinor: amountOf(whole, 'itemsTotal', problems),
    shippingMinor: amountOf(whole, 'shippingFee', problems),
    discountMinor: discounts.every((amount) => amount === null)
      ? null
      : discounts.reduce<number>((sum, amount) => sum + Math.abs(amount ?? 0), 0),
    totalMinor: amountOf(whole, 'orderTotal', problems),
  }
}

const COD = /貨到付款|取貨付款|到付|代收|\bcod\b|cash[ -]?on[ -]?delivery/i
/** 取貨不付款, 純取貨: paid already. */
const NOT_COD = /不付款|純取貨|已付款/

function paymentOf(
  layout: Layout,
  whole: MappedRow,
  status: { paid: boolean; unpaid: boolean },
  totals: IncomingOrder['totals'],
  problems: Problems,
): IncomingOrder['payment'] {
  const currency = (whole.text('currency') || layout.currency || 'TWD').toUpperCase()
  const written = whole.text('paymentMethod')
  const asked = amountOf(whole, 'amountDue', problems)
  const cod = written === '' ? layout.payment === 'cod' || (asked ?? 0) > 0 : COD.test(written) && !NOT_COD.test(written)
  if (!cod) return { method: 'prepaid', state: status.unpaid ? 'pending' : 'paid', amountDueMinor: 0, currency }
  if (status.paid) return { method: 'cod', state: 'paid', amountDueMinor: 0, currency }
  const due = asked ?? totals.totalMinor
  if (due === null) {
    problems.add(
      whole,
      'amountDue' in layout.columns ? 'amountDue' : 'orderTotal',
      'missing',
      'The order is paid on delivery, but its total is missing, so what must be collected is not known. Fill it in and import the file again.',
    )
  }
  return { method: 'cod', state: 'due', amountDueMinor: due ?? 0, currency }
}

function notesOf(rows: MappedRow[], more: (string | null | undefined)[]): string | null {
  const notes = [...rows.flatMap((row) => [row.text('notes'), row.text('notes2')]), ...more]
  return [...new Set(notes)].filter((note) => note !== null && note !== undefined && note !== '').join('\n') || null
}

function mapOrder(
  layout: Layout,
  orderFields: readonly Field[],
  rows: MappedRow[],
  context: MapContext,
  problems: Problems,
): IncomingOrder | null {
  const [first] = rows
  if (!first) return null
  const whole = wholeOf(rows, first)
  const externalId = layout.numberOf?.(first) ?? neededCode(first, 'orderNumber', problems, 'The order number')
  const lines = rows.map((row) => lineOf(layout, row, problems)).filter((line) => line !== null)
  const status = statusOf(whole, layout.words)
  const masked = isMasked(whole.text('recipientName')) || isMasked(whole.text('phone'))
  const delivery = layout.alreadyGone
    ? { ...HOME, service: 'channel' }
    : deliveryOf(whole, layout.delivery ?? 'home', layout.words, masked, problems)
  const contact = layout.alreadyGone
    ? { recipient: { name: null, phone: null, address: null, masked: true }, extension: undefined }
    : delivery.method === 'storePickup' || delivery.method === 'handOver'
      ? pickupContact(whole)
      : contactOf(whole, problems, {
          // Where it goes is asked once it is known how it goes.
          needsAddress:
            delivery.method === 'home' &&
            delivery.service !== 'channel' &&
            !problems.errors.some(({ code }) => code === 'unknownDelivery'),
          readAddress: true,
        })
  checkAgreement(rows, orderFields, problems)
  const totals = totalsOf(whole, problems)
  const payment = paymentOf(layout, whole, status, totals, problems)
  if (lines.length === 0 && problems.errors.length === 0) return allCancelled(layout, rows, whole, context, externalId)
  if (problems.errors.length > 0) return null
  const ids = lineIds(lines.map((line) => line.key))
  const buyerName = whole.text('buyerName')
  const order: IncomingOrder = {
    channel: context.channel,
    shop: context.shop,
    connection: context.connection,
    externalId,
    externalVersion: null,
    placedAt: parseDate(firstText(rows, 'placedAt'), context.zone),
    kind: 'online',
    buyer: {
      name: isMasked(buyerName) ? null : orNull(buyerName),
      phone: null,
      email: orNull(whole.text('email')),
      memberId: null,
    },
    recipient: contact.recipient,
    delivery: {
      ...delivery,
      ...(whole.text('askedTime') !== '' && { askedTime: whole.text('askedTime') }),
    },
    payment,
    lines: lines.map(({ key: _, ...line }, index) => ({ lineId: ids[index] ?? String(index + 1), ...line })),
    totals,
    notes: notesOf(rows, [status.note, contact.extension === undefined ? null : `電話分機 ${contact.extension}`]),
    priority: 0,
    cancelled: status.cancelled,
    onHold: status.onHold,
    fulfilled: layout.alreadyGone === true || status.fulfilled,
  }
  const finished = layout.finish?.(order, rows, whole, problems) ?? order
  return problems.errors.length > 0 ? null : finished
}

const HOME = { method: 'home', service: null, cvs: null, location: null, promisedBy: null } as const

/** Who comes to fetch it needs no address; whoever is named is kept. */
function pickupContact(whole: MappedRow): Pick<ReturnType<typeof contactOf>, 'recipient' | 'extension'> {
  const { recipient, extension } = contactOf(whole, new Problems(), { needsAddress: false, readAddress: true })
  return { recipient, extension }
}

/** An order of which nothing is left to be sent: cancelled, with the lines as they were ordered. */
function allCancelled(
  layout: Layout,
  rows: MappedRow[],
  whole: MappedRow,
  context: MapContext,
  externalId: string,
): IncomingOrder | null {
  const ordered = rows.map((row) => ({
    row,
    quantity: Number(row.text('orderedQuantity') || row.text('cancelledQuantity') || 1),
  }))
  const keys = lineIds(rows.map((row) => row.text('itemId') || row.text('sku') || row.text('sku2') || `row ${row.row}`))
  return {
    channel: context.channel,
    shop: context.shop,
    connection: context.connection,
    externalId,
    externalVersion: null,
    placedAt: parseDate(firstText(rows, 'placedAt'), context.zone),
    kind: 'online',
    buyer: { name: null, phone: null, email: null, memberId: null },
    recipient: { name: null, phone: null, address: null },
    delivery: { ...HOME },
    payment: {
      method: 'prepaid',
      state: 'paid',
      amountDueMinor: 0,
      currency: whole.text('currency') || layout.currency || 'TWD',
    },
    lines: ordered.map(({ row, quantity }, index) => ({
      lineId: keys[index] ?? String(index + 1),
      sku: orNull(row.text('sku') || row.text('sku2')),
      externalSku: orNull(row.text('itemId') || row.text('sku')),
      name: orNull(row.text('productName')),
      variant: orNull(row.text('variant')),
      quantity: Number.isInteger(quantity) && quantity > 0 ? quantity : 1,
      unitPriceMinor: null,
      gift: false,
    })),
    totals: { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: null },
    notes: notesOf(rows, []),
    priority: 0,
    cancelled: true,
    onHold: false,
    fulfilled: false,
  }
}
