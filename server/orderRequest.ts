/** An order sent to the API, put into canonical words: phones E.164, addresses in parts, what is missing null. */
import type { Address, IncomingOrder } from '../domain/order.ts'
import { parseAddress, parsePhone } from '../mappings/normalise/index.ts'
import type { FieldError } from './issues.ts'
import { Problem } from './problem.ts'
import type { OrderRequest } from './schemas.ts'

/** The canonical order less its identity, which the connection gives. */
export type OrderPayload = Omit<IncomingOrder, 'channel' | 'shop' | 'connection' | 'externalId'>

class Errors {
  readonly found: FieldError[] = []
  add(path: string, value: unknown, message: string, remedy: string): void {
    this.found.push({ path, value, message, remedy })
  }
}

function phoneOf(written: string | null | undefined, path: string, errors: Errors): string | null {
  if (written === null || written === undefined || written.trim() === '') return null
  const phone = parsePhone(written)
  if (phone.e164 === null && !phone.masked) {
    errors.add(path, written, phone.problem ?? 'is no phone number', 'Write it as 0912345678, 02-2345-6789 or +886912345678.')
  }
  return phone.e164
}

type AddressRequest = NonNullable<NonNullable<OrderRequest['recipient']>['address']>

/** Kept as it was written; parts that were sent help to read it. */
function addressOf(sent: AddressRequest | null | undefined): Address | null {
  if (!sent) return null
  const { raw, line, ...parts } = sent
  const written = raw ?? ([parts.postalCode, parts.province, parts.city, parts.district, line].filter(Boolean).join('') || null)
  if (written === null) return null
  const { problem: _judgedByTheCheck, ...address } = parseAddress(written, parts)
  return address
}

function totalOf(request: OrderRequest): number | null {
  const { totals, lines } = request
  if (totals?.totalMinor !== undefined && totals.totalMinor !== null) return totals.totalMinor
  const items =
    totals?.itemsMinor ??
    lines.reduce<number | null>((sum, line) => {
      const price = line.unitPriceMinor ?? (line.gift ? 0 : null)
      return sum === null || price === null ? null : sum + price * line.quantity
    }, 0)
  return items === null ? null : items + (totals?.shippingMinor ?? 0) - (totals?.discountMinor ?? 0)
}

function amountDueOf(request: OrderRequest, errors: Errors): number {
  const { method, amountDueMinor } = request.payment
  if (method === 'prepaid') {
    if (amountDueMinor)
      errors.add(
        'payment.amountDueMinor',
        amountDueMinor,
        'a prepaid order has nothing due',
        'Leave it out, or set method to cod.',
      )
    return 0
  }
  const due = amountDueMinor ?? totalOf(request)
  if (due === null) {
    errors.add(
      'payment.amountDueMinor',
      null,
      'what the courier must collect is not known',
      'Send it, or totals.totalMinor, or the price of every line.',
    )
  }
  return due ?? 0
}

function linesOf(request: OrderRequest, errors: Errors): OrderPayload['lines'] {
  const seen = new Set<string>()
  return request.lines.map((line, index) => {
    const lineId = line.lineId ?? String(index + 1)
    if (seen.has(lineId))
      errors.add(`lines[${index}].lineId`, lineId, 'appears twice', 'Give each line its own lineId, or leave it out.')
    seen.add(lineId)
    return {
      lineId,
      sku: line.sku,
      externalSku: line.sku,
      name: line.name ?? null,
      variant: line.variant ?? null,
      quantity: line.quantity,
      unitPriceMinor: line.unitPriceMinor ?? null,
      gift: line.gift,
    }
  })
}

/** @throws Problem 400 naming every field that cannot be used. */
export function payloadOf(request: OrderRequest): OrderPayload {
  const errors = new Errors()
  const { buyer, recipient, delivery, payment, totals } = request
  const payload: OrderPayload = {
    externalVersion: request.externalVersion ?? null,
    placedAt: request.placedAt ?? null,
    kind: request.kind,
    ...(request.campaign ? { campaign: request.campaign } : {}),
    buyer: {
      name: buyer?.name ?? null,
      phone: phoneOf(buyer?.phone, 'buyer.phone', errors),
      email: buyer?.email ?? null,
      memberId: buyer?.memberId ?? null,
      ...(buyer?.lineUserId ? { lineUserId: buyer.lineUserId } : {}),
      ...(buyer?.optOut === undefined ? {} : { optOut: buyer.optOut }),
    },
    recipient: {
      name: recipient?.name ?? null,
      phone: phoneOf(recipient?.phone, 'recipient.phone', errors),
      address: addressOf(recipient?.address),
    },
    delivery: {
      method: delivery.method,
      service: delivery.service ?? null,
      cvs: delivery.cvs ?? null,
      location: delivery.location ?? null,
      promisedBy: delivery.promisedBy ?? null,
      askedTime: delivery.askedTime ?? null,
    },
    payment: {
      method: payment.method,
      state: payment.state ?? (payment.method === 'cod' ? 'due' : 'paid'),
      amountDueMinor: amountDueOf(request, errors),
      currency: payment.currency,
    },
    lines: linesOf(request, errors),
    totals: {
      itemsMinor: totals?.itemsMinor ?? null,
      shippingMinor: totals?.shippingMinor ?? null,
      discountMinor: totals?.discountMinor ?? null,
      totalMinor: totals?.totalMinor ?? null,
    },
    notes: request.notes ?? null,
    priority: request.priority,
    ...(request.customs ? { customs: request.customs } : {}),
  }
  const [first] = errors.found
  if (first)
    throw new Problem(400, 'Invalid input', `The body is not valid: ${first.path} ${first.message}`, { errors: errors.found })
  return payload
}
