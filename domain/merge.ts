/**
 * One order told twice, by one source or by two: what is new in the second telling. A masked or missing value never overwrites a
 * known one, and the same thing written differently is no change.
 */
import type { Address, Delivery, IncomingOrder, Payment, Recipient } from './order.ts'
import { mergeLines, plain } from './mergeLines.ts'

export interface Change {
  /** `filled`: nothing to be done differently; unknown values became known, or a detail that steers nothing (buyer, totals). */
  kind: 'cancel' | 'lines' | 'recipient' | 'delivery' | 'payment' | 'notes' | 'hold' | 'release' | 'filled'
  /** Path in the canonical order, e.g. `recipient.phone`. */
  field: string
  /** As text; may be personal data: for the database and people, never for logs. */
  from: string | null
  to: string | null
}

export interface MergeOptions {
  /** Versions, line numbers and amounts of both mean the same. @default both came through one connection */
  sameSource?: boolean
}

type Kind = Change['kind']
const text = (value: unknown): string | null =>
  value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value)
/** A source that hides a value sends stars or circles in its place. */
const hidden = (value: string | null | undefined): boolean =>
  value === null ||
  value === undefined ||
  value.trim() === '' ||
  /[*＊]{2,}|\p{L}[*＊]|[*＊]\p{L}|^[*＊○●◯]+$|[○◯●]{2,}|\p{Script=Han}[○◯●]/u.test(value)

/** Places and roads compared: 台 is 臺, no punctuation. */
const place = (value: string | null | undefined) =>
  plain(value)
    .replace(/台/g, '臺')
    .replace(/[\s,，、.。()（）-]/g, '')
/** National and international writing of a Taiwanese number are one. */
const dial = (value: string) => value.replace(/\D/g, '').replace(/^886/, '').replace(/^0+/, '')
const instant = (value: string) => Math.floor(new Date(value).getTime() / 60_000) || value

/** Versions grow: numbers by value, all else as text. */
function isOlder(incoming: string, known: string): boolean {
  if (/^\d+$/.test(incoming) && /^\d+$/.test(known)) return BigInt(incoming) < BigInt(known)
  return incoming < known
}
const shapeOf = (version: string) => version.replace(/\d+/g, '9')

/** May the incoming telling only fill in? Yes when it is the older one, or has no version where the known one has. */
function isOnlyFilling(known: IncomingOrder, incoming: IncomingOrder, sameSource: boolean): boolean {
  const [was, is] = [known.externalVersion, incoming.externalVersion]
  if (was === null) return false
  if (is === null) return !sameSource
  return (sameSource || shapeOf(was) === shapeOf(is)) && isOlder(is, was)
}

/** @returns the order as it is known now, and what of it is new. Pure; merging the same again changes nothing. */
export function mergeOrder(
  known: IncomingOrder,
  incoming: IncomingOrder,
  options: MergeOptions = {},
): { merged: IncomingOrder; changes: Change[] } {
  const sameSource = options.sameSource ?? known.connection === incoming.connection
  const older = isOnlyFilling(known, incoming, sameSource)
  const changes: Change[] = []
  const note = (kind: Kind, field: string, from: unknown, to: unknown) => {
    changes.push({ kind, field, from: text(from), to: text(to) })
  }
  /** One text field: filled in when it was unknown, changed when both are known and differ. */
  const field = (
    kind: Kind,
    path: string,
    was: string | null | undefined,
    is: string | null | undefined,
    key: (value: string) => string | number,
  ): string | null => {
    if (hidden(is)) return was ?? null
    if (hidden(was)) {
      note('filled', path, was, is)
      return is ?? null
    }
    if (older || was === null || was === undefined || is === null || is === undefined || key(was) === key(is)) return was ?? null
    note(kind, path, was, is)
    return is
  }
  const merge: Merge = { older, sameSource, note, field }

  const lines = mergeLines(known.lines, incoming.lines, { older, sameSource, itemsMinor: known.totals.itemsMinor })
  if (lines.changed) note('lines', 'lines', lines.changed.from, lines.changed.to)
  else if (lines.filled) note('filled', 'lines', null, null)

  const merged: IncomingOrder = {
    ...known,
    externalVersion: older ? known.externalVersion : (incoming.externalVersion ?? known.externalVersion),
    placedAt: known.placedAt ?? field('filled', 'placedAt', null, incoming.placedAt, instant),
    buyer: {
      name: field('filled', 'buyer.name', known.buyer.name, incoming.buyer.name, plain),
      phone: field('filled', 'buyer.phone', known.buyer.phone, incoming.buyer.phone, dial),
      email: field('filled', 'buyer.email', known.buyer.email, incoming.buyer.email, plain),
      memberId: field('filled', 'buyer.memberId', known.buyer.memberId, incoming.buyer.memberId, plain),
    },
    recipient: mergeRecipient(known.recipient, incoming.recipient, merge),
    delivery: mergeDelivery(known.delivery, incoming.delivery, merge),
    payment: mergePayment(known.payment, incoming.payment, merge),
    lines: lines.lines,
    totals: mergeTotals(known, incoming, lines.changed !== null, merge),
    notes: mergeNotes(known.notes, incoming.notes, merge),
  }
  if (!older && sameSource && incoming.priority !== known.priority) {
    note('filled', 'priority', known.priority, incoming.priority)
    merged.priority = incoming.priority
  }
  if (incoming.customs && JSON.stringify(incoming.customs) !== JSON.stringify(known.customs) && !(older && known.customs)) {
    note(known.customs ? 'delivery' : 'filled', 'customs', known.customs ?? null, incoming.customs)
    merged.customs = incoming.customs
  }
  if (incoming.paidBack && JSON.stringify(incoming.paidBack) !== JSON.stringify(known.paidBack) && !(older && known.paidBack)) {
    note('filled', 'paidBack', known.paidBack, incoming.paidBack)
    merged.paidBack = incoming.paidBack
  }
  if (!older) {
    if (incoming.cancelled && !known.cancelled) {
      note('cancel', 'cancelled', false, true)
      merged.cancelled = true
    }
    if ((incoming.onHold ?? false) !== (known.onHold ?? false)) {
      note(incoming.onHold ? 'hold' : 'release', 'onHold', known.onHold ?? false, incoming.onHold ?? false)
      merged.onHold = incoming.onHold ?? false
    }
  } else if (incoming.cancelled && !known.cancelled && !sameSource) {
    // A file has no version to compare, but no channel revives an order that it gave up.
    note('cancel', 'cancelled', false, true)
    merged.cancelled = true
  }
  return { merged, changes }
}

interface Merge {
  older: boolean
  sameSource: boolean
  note: (kind: Kind, field: string, from: unknown, to: unknown) => void
  field: (
    kind: Kind,
    path: string,
    was: string | null | undefined,
    is: string | null | undefined,
    key: (value: string) => string | number,
  ) => string | null
}

function mergeRecipient(known: Recipient, incoming: Recipient, merge: Merge): Recipient {
  const recipient: Recipient = {
    ...known,
    name: merge.field('recipient', 'recipient.name', known.name, incoming.name, plain),
    phone: merge.field('recipient', 'recipient.phone', known.phone, incoming.phone, dial),
    address: mergeAddress(known.address, incoming.address, merge),
  }
  const nameless = hidden(recipient.name) || hidden(recipient.phone)
  const masked = ((known.masked || incoming.masked) && nameless) || (known.masked === true && incoming.masked === true)
  if ((masked ?? false) !== (known.masked ?? false)) merge.note('filled', 'recipient.masked', known.masked ?? false, masked)
  if (masked || known.masked !== undefined) recipient.masked = masked
  return recipient
}

/** Two addresses are the same place when their lines are, or, where one is not parsed, when one written text ends with the other. */
function isSamePlace(a: Address, b: Address): boolean {
  const differ = (x: string | null | undefined, y: string | null | undefined) => !hidden(x) && !hidden(y) && place(x) !== place(y)
  if (differ(a.city, b.city) || differ(a.district, b.district) || differ(a.country, b.country) || differ(a.province, b.province))
    return false
  if (!hidden(a.postalCode) && !hidden(b.postalCode) && place(a.postalCode).slice(0, 3) !== place(b.postalCode).slice(0, 3))
    return false
  if (!hidden(a.raw) && !hidden(b.raw) && place(a.raw) === place(b.raw)) return true
  if (!hidden(a.line) && !hidden(b.line)) {
    const [x, y] = [place(a.line), place(b.line)]
    // One side may not have been parsed: its line still begins with city and district.
    return x === y || (a.city === null && x.endsWith(y)) || (b.city === null && y.endsWith(x))
  }
  if ((hidden(a.line) && hidden(a.raw)) || (hidden(b.line) && hidden(b.raw))) return true
  const [x, y] = [place(hidden(a.line) ? a.raw : a.line), place(hidden(b.line) ? b.raw : b.line)]
  return x.endsWith(y) || y.endsWith(x)
}

function mergeAddress(known: Address | null, incoming: Address | null, merge: Merge): Address | null {
  const says = (address: Address) => [address.line, address.raw, address.city, address.postalCode].some((part) => !hidden(part))
  if (incoming === null || !says(incoming)) return known
  if (known === null || !says(known)) {
    merge.note('filled', 'recipient.address', known?.raw, incoming.raw ?? incoming.line)
    return incoming
  }
  if (!isSamePlace(known, incoming)) {
    if (merge.older) return known
    // Taken whole: half of one address with half of another is neither.
    merge.note('recipient', 'recipient.address', known.raw ?? known.line, incoming.raw ?? incoming.line)
    return incoming
  }
  const fill = (part: keyof Address): string | null => {
    const [was, is] = [known[part] ?? null, incoming[part] ?? null]
    const longerCode = part === 'postalCode' && was !== null && is !== null && is.length > was.length && is.startsWith(was)
    if (hidden(is) || (!hidden(was) && !longerCode)) return was
    merge.note('filled', `recipient.address.${part}`, was, is)
    return is
  }
  const address: Address = {
    postalCode: fill('postalCode'),
    city: fill('city'),
    district: fill('district'),
    line: fill('line'),
    raw: fill('raw'),
    country: fill('country'),
  }
  if (known.province !== undefined || incoming.province) address.province = fill('province')
  return address
}

function mergeDelivery(known: Delivery, incoming: Delivery, merge: Merge): Delivery {
  if (known.method !== incoming.method && !merge.older) {
    merge.note('delivery', 'delivery.method', known.method, incoming.method)
    return incoming
  }
  if (known.method !== incoming.method) return known
  const delivery: Delivery = {
    ...known,
    service: merge.field('delivery', 'delivery.service', known.service, incoming.service, plain),
    cvs: mergeCvs(known.cvs, incoming.cvs, merge),
    location: merge.field('delivery', 'delivery.location', known.location, incoming.location, plain),
    promisedBy: mergePromise(known.promisedBy, incoming.promisedBy, merge),
  }
  const askedTime = merge.field('delivery', 'delivery.askedTime', known.askedTime, incoming.askedTime, plain)
  if (askedTime !== null || known.askedTime !== undefined) delivery.askedTime = askedTime
  return delivery
}

function mergeCvs(known: Delivery['cvs'], incoming: Delivery['cvs'], merge: Merge): Delivery['cvs'] {
  if (incoming === null) return known
  if (known === null) {
    merge.note('filled', 'delivery.cvs', null, incoming)
    return incoming
  }
  if (known.chain !== incoming.chain) {
    if (merge.older) return known
    merge.note('delivery', 'delivery.cvs', known, incoming)
    return incoming
  }
  // A spreadsheet drops the zeros in front of a store's number.
  const number = (value: string) => plain(value).replace(/^0+/, '')
  return { chain: known.chain, storeId: merge.field('delivery', 'delivery.cvs.storeId', known.storeId, incoming.storeId, number) }
}

/** A date in one source is an instant in another: between sources the first telling stays. */
function mergePromise(known: string | null, incoming: string | null, merge: Merge): string | null {
  return known !== null && !merge.sameSource ? known : merge.field('delivery', 'delivery.promisedBy', known, incoming, instant)
}

function mergePayment(known: Payment, incoming: Payment, merge: Merge): Payment {
  // Cash on delivery of nothing means that the source did not tell the amount.
  const untold = (payment: Payment) => payment.method === 'cod' && payment.amountDueMinor === 0
  if (known.method === incoming.method && untold(known) && !untold(incoming) && incoming.currency === known.currency) {
    merge.note('filled', 'payment.amountDueMinor', null, incoming.amountDueMinor)
    known = { ...known, amountDueMinor: incoming.amountDueMinor }
  }
  if (merge.older) return known
  const payment: Payment = { ...incoming }
  if (untold(incoming) && known.method === 'cod') payment.amountDueMinor = known.amountDueMinor
  // What the courier collected is our own knowledge; the channel hears of it later.
  if (known.state === 'collected' && known.method === incoming.method && incoming.state !== 'refunded')
    payment.state = 'collected'
  for (const part of ['method', 'state', 'amountDueMinor', 'currency'] as const) {
    if (payment[part] !== known[part]) merge.note('payment', `payment.${part}`, known[part], payment[part])
  }
  return payment
}

/** The four amounts belong together: two sources split a total differently, so they are never mixed. */
function mergeTotals(
  known: IncomingOrder,
  incoming: IncomingOrder,
  linesChanged: boolean,
  merge: Merge,
): IncomingOrder['totals'] {
  const [was, is] = [known.totals, incoming.totals]
  const parts = ['itemsMinor', 'shippingMinor', 'discountMinor', 'totalMinor'] as const
  if (parts.every((part) => is[part] === null)) return was
  const untold = parts.every((part) => was[part] === null)
  if (!untold && (merge.older || (!merge.sameSource && !linesChanged))) return was
  const totals = { ...is }
  if (merge.sameSource && !linesChanged) for (const part of parts) totals[part] ??= was[part]
  if (parts.some((part) => totals[part] !== was[part])) merge.note('filled', 'totals', was, totals)
  return totals
}

/** In one source an empty note became a wish: a change. Between sources one may tell less than the other. */
function mergeNotes(known: string | null, incoming: string | null, merge: Merge): string | null {
  if (incoming === null || incoming.trim() === '') return known
  const [was, is] = [plain(known), plain(incoming)]
  if (was === is || (!merge.sameSource && was.includes(is))) return known
  if (merge.older && was !== '') return known
  merge.note((!merge.sameSource && is.includes(was)) || merge.older ? 'filled' : 'notes', 'notes', known, incoming)
  return incoming
}
