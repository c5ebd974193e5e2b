/**
 * Shopify's order export (CSV). Source: ../shared/facts/excel-columns.json `shopify_csv` (the full list; the first row of an order
 * carries its values, later rows only line items). What is uncertain is told in docs/profiles/shopify-csv.md.
 */
import type { IncomingOrder } from '../../domain/order.ts'
import { layoutProfile } from './mapping.ts'
import { orNull } from './rows.ts'
import type { MappedRow, Problems } from './types.ts'

export const shopifyCsv = layoutProfile({
  name: 'shopify-csv',
  title: "Shopify's order export",
  channel: 'shopify',
  columns: {
    orderNumber: ['Name'],
    email: ['Email'],
    paymentState: ['Financial Status'],
    paidAt: ['Paid at'],
    status: ['Fulfillment Status'],
    currency: ['Currency'],
    itemsTotal: ['Subtotal'],
    shippingFee: ['Shipping'],
    taxes: ['Taxes'],
    orderTotal: ['Total'],
    delivery: ['Shipping Method'],
    placedAt: ['Created at'],
    quantity: ['Lineitem quantity'],
    productName: ['Lineitem name'],
    unitPrice: ['Lineitem price'],
    sku: ['Lineitem sku'],
    needsShipping: ['Lineitem requires shipping'],
    buyerName: ['Billing Name'],
    buyerPhone: ['Billing Phone'],
    recipientName: ['Shipping Name'],
    address: ['Shipping Street', 'Shipping Address1'],
    address2: ['Shipping Address2'],
    city: ['Shipping City'],
    postalCode: ['Shipping Zip'],
    province: ['Shipping Province Name', 'Shipping Province'],
    country: ['Shipping Country'],
    phone: ['Shipping Phone'],
    phone2: ['Phone'],
    notes: ['Notes'],
    cancelledAt: ['Cancelled at'],
    paymentMethod: ['Payment Method'],
    amountDue: ['Outstanding Balance'],
  },
  otherHeaders: (
    'Fulfilled at|Accepts Marketing|Discount Code|Discount Amount|Lineitem compare at price|Lineitem taxable|' +
    'Lineitem fulfillment status|Billing Street|Billing Address1|Billing Address2|Billing Company|Billing City|Billing Zip|' +
    'Billing Province|Billing Country|Shipping Address1|Shipping Company|Shipping Province|Note Attributes|Payment Reference|' +
    'Refunded Amount|Vendor|Employee|Location|Device ID|Id|Tags|Risk Level|Source|Lineitem discount|Tax 1 Name|Tax 1 Value|' +
    'Tax 2 Name|Tax 2 Value|Tax 3 Name|Tax 3 Value|Tax 4 Name|Tax 4 Value|Tax 5 Name|Tax 5 Value|Receipt Number|Duties|' +
    'Billing Province Name|Payment ID|Payment Terms Name|Next Payment Due At|Payment References'
  ).split('|'),
  required: [['orderNumber'], ['quantity'], ['sku'], ['recipientName'], ['address'], ['orderTotal']],
  words: { otherDelivery: 'home' },
  runningFields: [],
  finish,
})

/**
 * Subtotal is what the lines come to after discounts, so the discount is the difference; `Discount Amount` may hold what was taken off
 * the shipping too. Goods that need no shipping are none of ours to send.
 */
function finish(order: IncomingOrder, rows: MappedRow[], whole: MappedRow, problems: Problems): IncomingOrder {
  const digital = rows.map((row) => /^false$/i.test(row.text('needsShipping')))
  const subtotal = order.totals.itemsMinor
  const { shippingMinor, totalMinor } = order.totals
  const items = order.lines.every((line) => line.unitPriceMinor !== null)
    ? order.lines.reduce((sum, line) => sum + (line.unitPriceMinor ?? 0) * line.quantity, 0)
    : null
  const discountMinor = items !== null && subtotal !== null ? items - subtotal : null
  if (discountMinor !== null && discountMinor < 0) {
    problems.add(
      whole,
      'itemsTotal',
      'sumsDisagree',
      'The lines come to less than the Subtotal, so lines are missing or prices wrong. Export the order with all its lines and import the file again.',
    )
  }
  const lines = order.lines.filter((_, index) => !digital[index])
  const left = order.lines.filter((_, index) => digital[index])
  // Taxes on top, tips, duties and goods left out have no place in the four amounts: then the total alone is told.
  const isPlain = left.length === 0 && subtotal !== null && shippingMinor !== null && subtotal + shippingMinor === totalMinor
  return {
    ...order,
    buyer: { ...order.buyer, phone: null },
    lines: lines.length > 0 ? lines : order.lines,
    totals: isPlain
      ? { itemsMinor: items, shippingMinor, discountMinor, totalMinor }
      : { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor },
    notes:
      [
        order.notes,
        orNull(whole.text('delivery')) && `Shipping Method ${whole.text('delivery')}`,
        ...left.map((line) => `not shipped: ${line.quantity} x ${line.name ?? line.sku}`),
      ]
        .filter(Boolean)
        .join('\n') || null,
    fulfilled: order.fulfilled === true || lines.length === 0,
  }
}
