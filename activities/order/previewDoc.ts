/** What an order says of people and places, before and after: compared as it is, shown masked. */
import { maskAddress, maskEmail, maskName, maskPhone } from '../../domain/mask.ts'
import type { Address } from '../../domain/order.ts'
import type { OrderDoc } from '../../store/orderRecord.ts'

/** One field that becomes another; `from` null: new, `to` null: gone. */
export interface Difference {
  /** phase, due, recipient, buyer, delivery, notes, customs, line, hold, stock, unit, return, parcel, taskCloses, taskOpens or told. */
  of: string
  name: string
  from: string | null
  to: string | null
}

interface Said {
  of: 'recipient' | 'buyer' | 'delivery' | 'notes' | 'customs'
  name: string
  value: string | null
  mask?: (value: string) => string
}

function addressLine(address: Address | null): string | null {
  if (address === null) return null
  const { postalCode, city, district, line, raw } = address
  if (line === null) return raw
  const parts = [postalCode, city, district, line].filter((part) => part !== null)
  return parts.join(/\p{Script=Han}/u.test(line) ? ' ' : ', ')
}

const said = ({ recipient, buyer, delivery, notes, customs }: OrderDoc): Said[] => [
  { of: 'recipient', name: 'name', value: recipient.name, mask: maskName },
  { of: 'recipient', name: 'phone', value: recipient.phone, mask: maskPhone },
  { of: 'recipient', name: 'address', value: addressLine(recipient.address), mask: maskAddress },
  { of: 'buyer', name: 'name', value: buyer.name, mask: maskName },
  { of: 'buyer', name: 'phone', value: buyer.phone, mask: maskPhone },
  { of: 'buyer', name: 'email', value: buyer.email, mask: maskEmail },
  { of: 'delivery', name: 'method', value: delivery.method },
  { of: 'delivery', name: 'service', value: delivery.service },
  { of: 'delivery', name: 'store', value: delivery.cvs && `${delivery.cvs.chain} ${delivery.cvs.storeId ?? 'none named'}` },
  { of: 'delivery', name: 'location', value: delivery.location },
  { of: 'delivery', name: 'promised by', value: delivery.promisedBy },
  { of: 'delivery', name: 'asked time', value: delivery.askedTime ?? null },
  { of: 'notes', name: 'notes', value: notes },
  { of: 'customs', name: 'papers', value: customs ? [customs.invoiceNumber, ...customs.hsCodes].join(' ') : null },
]

export function saidDifferently(before: OrderDoc, after: OrderDoc): Difference[] {
  const now = said(after)
  return said(before).flatMap(({ of, name, value, mask = (shown) => shown }, at) => {
    const then = now[at]?.value ?? null
    if (value === then) return []
    const [from, to] = [value && mask(value), then && mask(then)]
    return [{ of, name, from, to: to !== null && to === from ? `${to} (another)` : to }]
  })
}
