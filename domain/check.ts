/** Check: what cannot be right about an order, before anything is promised to anybody. */
import type { IncomingOrder } from './order.ts'

export interface Problem {
  code: ProblemCode
  /** Path in the canonical order, e.g. `lines[0].sku`. */
  field: string
  /** What stands there, short; null when nothing does. */
  value: string | null
  message: string
  remedy: string
}
export type ProblemCode =
  | 'unknownSku'
  | 'amountsDisagree'
  | 'currencyUnknown'
  | 'incompleteAddress'
  | 'missingPickupStore'
  | 'missingRecipient'
  | 'missingPhone'
  | 'maskedRecipient'
  | 'overseasWithoutPapers'
  | 'missingLocation'

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'))
const shown = (value: unknown): string | null => {
  if (value === null || value === undefined || value === '') return null
  const text = String(value)
  return text.length > 40 ? `${text.slice(0, 39)}…` : text
}
const blank = (value: string | null | undefined): boolean => value === null || value === undefined || value.trim() === ''
const amount = (minor: number, currency: string) => `${currency} ${(minor / 100).toFixed(2).replace(/\.00$/, '')}`

/** @returns every problem, in the order in which a person would read them; none means the order can go on. Pure. */
export function checkOrder(order: IncomingOrder, known: { skus: ReadonlySet<string> }): Problem[] {
  return [
    ...checkLines(order, known.skus),
    ...checkAmounts(order),
    ...checkRecipient(order),
    ...checkDelivery(order),
    ...checkPapers(order),
  ]
}

function checkLines(order: IncomingOrder, skus: ReadonlySet<string>): Problem[] {
  return order.lines.flatMap((line, index): Problem[] => {
    if (line.sku !== null && skus.has(line.sku)) return []
    const written = line.sku ?? line.externalSku
    return [
      {
        code: 'unknownSku',
        field: `lines[${index}].sku`,
        value: shown(written),
        message:
          written === null
            ? `Line ${line.lineId} names no SKU`
            : `SKU ${shown(written)} of line ${line.lineId} is not a product we know`,
        remedy:
          written === null ? 'Set the SKU of the line.' : 'Add the product, or name the SKU that this article number stands for.',
      },
    ]
  })
}

function checkAmounts(order: IncomingOrder): Problem[] {
  const { totals, payment, lines } = order
  const found: Problem[] = []
  const disagree = (field: string, value: number, message: string, remedy: string) =>
    found.push({ code: 'amountsDisagree', field, value: amount(value, payment.currency), message, remedy })
  if (!CURRENCIES.has(payment.currency)) {
    found.push({
      code: 'currencyUnknown',
      field: 'payment.currency',
      value: shown(payment.currency),
      message: `${shown(payment.currency)} is no ISO 4217 currency`,
      remedy: 'Set the currency, such as TWD.',
    })
  }
  // A gift without a price costs nothing; any other line without one makes the sum unknown.
  const priced = lines.every((line) => line.unitPriceMinor !== null || line.gift)
  const ofLines = priced ? lines.reduce((sum, line) => sum + (line.unitPriceMinor ?? 0) * line.quantity, 0) : null
  if (ofLines !== null && totals.itemsMinor !== null && ofLines !== totals.itemsMinor) {
    disagree(
      'totals.itemsMinor',
      totals.itemsMinor,
      `The lines add up to ${amount(ofLines, payment.currency)}, the items total says ${amount(totals.itemsMinor, payment.currency)}`,
      'Correct prices, quantities or the items total.',
    )
  }
  const items = totals.itemsMinor ?? ofLines
  const { shippingMinor, discountMinor, totalMinor } = totals
  if (items !== null && shippingMinor !== null && discountMinor !== null && totalMinor !== null) {
    const sum = items + shippingMinor - discountMinor
    if (sum !== totalMinor) {
      disagree(
        'totals.totalMinor',
        totalMinor,
        `Items, shipping and discount come to ${amount(sum, payment.currency)}, the total says ${amount(totalMinor, payment.currency)}`,
        'Correct the total, the shipping fee or the discount.',
      )
    }
  }
  found.push(...checkDue(order))
  return found
}

function checkDue({ payment, totals }: IncomingOrder): Problem[] {
  const due = payment.amountDueMinor
  const problem = (message: string, remedy: string): Problem[] => [
    { code: 'amountsDisagree', field: 'payment.amountDueMinor', value: amount(due, payment.currency), message, remedy },
  ]
  if (due < 0) return problem('The amount due is below zero', 'Correct the amount due.')
  if (payment.method === 'prepaid') {
    return due === 0
      ? []
      : problem('A prepaid order has an amount due', 'Set the amount due to 0, or the payment to cash on delivery.')
  }
  // Paid or collected already: then nothing more has to be due at the door.
  if (payment.state === 'paid' || payment.state === 'collected' || payment.state === 'refunded') return []
  if (due === 0) return problem('Cash on delivery with nothing to collect', 'Set the amount due, or the payment to prepaid.')
  if (totals.totalMinor !== null && totals.totalMinor !== due) {
    return problem(
      `The courier would collect ${amount(due, payment.currency)}, the total says ${amount(totals.totalMinor, payment.currency)}`,
      'Correct the amount due or the total.',
    )
  }
  return []
}

/** The channel's own label carries the recipient. */
const isChannelShipped = (order: IncomingOrder) => order.delivery.service === 'channel'
const isHidden = (order: IncomingOrder) => order.recipient.masked === true
const isSent = (order: IncomingOrder) => order.delivery.method === 'home' || order.delivery.method === 'cvs'

function checkRecipient(order: IncomingOrder): Problem[] {
  const { recipient, delivery } = order
  if (!isSent(order)) return []
  if (isHidden(order)) {
    return isChannelShipped(order)
      ? []
      : [
          {
            code: 'maskedRecipient',
            field: 'recipient',
            value: shown(delivery.service),
            message: 'The channel hides the recipient, so no courier of ours could deliver it',
            remedy: 'Import the file that carries the recipient, or let the channel ship.',
          },
        ]
  }
  const found: Problem[] = []
  if (blank(recipient.name)) {
    found.push({
      code: 'missingRecipient',
      field: 'recipient.name',
      value: null,
      message: 'The recipient has no name',
      remedy: 'Set the name of the recipient.',
    })
  }
  if (blank(recipient.phone)) {
    found.push({
      code: 'missingPhone',
      field: 'recipient.phone',
      value: null,
      message: 'The recipient has no usable phone number',
      remedy: 'Set the phone as 09XX-XXX-XXX, with its area code, or with + and the country code.',
    })
  }
  return found
}

function checkDelivery(order: IncomingOrder): Problem[] {
  const { delivery } = order
  if (delivery.method === 'home') return checkAddress(order)
  if (delivery.method === 'cvs') return checkPickupStore(order)
  if (!blank(delivery.location)) return []
  return [
    {
      code: 'missingLocation',
      field: 'delivery.location',
      value: null,
      message: 'No location of ours is named to hand the goods over',
      remedy: 'Set the store or warehouse where the customer gets the goods.',
    },
  ]
}

function checkAddress(order: IncomingOrder): Problem[] {
  if (isHidden(order)) return [] // told by maskedRecipient, or carried by the channel's label
  const address = order.recipient.address
  const incomplete = (part: string, value: unknown, message: string, remedy: string): Problem => ({
    code: 'incompleteAddress',
    field: `recipient.address${part}`,
    value: shown(value),
    message,
    remedy,
  })
  if (address === null) return [incomplete('', null, 'There is no address to deliver to', 'Set the address.')]
  if (isAbroad(order)) {
    return blank(address.line) && blank(address.raw)
      ? [incomplete('.line', null, 'There is no address to deliver to', 'Set the address.')]
      : []
  }
  const found: Problem[] = []
  if (blank(address.city))
    found.push(incomplete('.city', null, 'The address names no city or county', 'Set the city, such as 臺北市.'))
  if (blank(address.district))
    found.push(
      incomplete('.district', null, 'The address names no district that the city has', 'Set the district, such as 中正區.'),
    )
  if (blank(address.line)) found.push(incomplete('.line', null, 'The address ends after the district', 'Set road and number.'))
  return found
}

function checkPickupStore(order: IncomingOrder): Problem[] {
  const { cvs } = order.delivery
  if (isHidden(order) || isChannelShipped(order)) return [] // the channel knows the store; a masked one of ours is told by maskedRecipient
  if (cvs === null) {
    return [
      {
        code: 'missingPickupStore',
        field: 'delivery.cvs',
        value: null,
        message: 'No convenience store is named for the pick-up',
        remedy: 'Set the chain and the number of the store.',
      },
    ]
  }
  return blank(cvs.storeId)
    ? [
        {
          code: 'missingPickupStore',
          field: 'delivery.cvs.storeId',
          value: cvs.chain,
          message: `The ${cvs.chain} store for the pick-up has no number`,
          remedy: 'Ask the customer for the store and set its number.',
        },
      ]
    : []
}

function isAbroad(order: IncomingOrder): boolean {
  const country = order.recipient.address?.country ?? null
  return country !== null && country !== 'TW'
}

function checkPapers(order: IncomingOrder): Problem[] {
  if (!isSent(order) || !isAbroad(order) || isChannelShipped(order)) return [] // the channel's own logistics clear customs
  const { customs } = order
  if (customs && !blank(customs.invoiceNumber) && customs.hsCodes.some((code) => !blank(code))) return []
  return [
    {
      code: 'overseasWithoutPapers',
      field: 'customs',
      value: shown(order.recipient.address?.country),
      message: `A parcel to ${order.recipient.address?.country} needs customs papers`,
      remedy: 'Set the invoice number and the HS codes of the goods.',
    },
  ]
}
