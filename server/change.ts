/** A change as people write it, made into what the saga obeys: phones E.164, addresses read, partial lines filled in from the order. */
import type { CanonicalOrder, OrderLine } from '../domain/order.ts'
import { parseAddress, parsePhone } from '../mappings/normalise/index.ts'
import { Problem } from './problem.ts'
import type { ChangeRequest } from './verbs.ts'

const wrong = (path: string, value: unknown, message: string, remedy: string): Problem =>
  new Problem(400, 'Invalid input', `The change is not valid: ${path} ${message}`, { errors: [{ path, value, message, remedy }] })

function withPhone<T extends { phone?: string | null | undefined }>(party: T, path: string): T {
  if (typeof party.phone !== 'string') return party
  const { e164, problem } = parsePhone(party.phone)
  if (e164 === null)
    throw wrong(path, party.phone, problem ?? 'is no phone number', 'Write it as 0912345678, 02-2345-6789 or +886912345678.')
  return { ...party, phone: e164 }
}

/** Parts alone are laid over the known address; a written line replaces it. */
function addressOf(address: NonNullable<NonNullable<ChangeRequest['recipient']>['address']>): Record<string, unknown> {
  const { raw, ...parts } = typeof address === 'string' ? { raw: address } : address
  if (raw === undefined || raw === null) return parts
  const { problem: _judgedByTheCheck, ...read } = parseAddress(raw, parts)
  return { ...read, ...('line' in parts && parts.line ? { line: parts.line } : {}) }
}

const blank = (position: number): OrderLine => ({
  lineId: String(position + 1),
  sku: null,
  externalSku: null,
  name: null,
  variant: null,
  quantity: 1,
  unitPriceMinor: null,
  gift: false,
})

type PartialLine = NonNullable<ChangeRequest['lines']>[number]

const knownLine = (order: CanonicalOrder, line: PartialLine, index: number): OrderLine | undefined =>
  line.lineId === undefined ? order.lines[index] : order.lines.find((each) => each.lineId === line.lineId)

const namesOnlySku = (line: PartialLine): boolean => Object.keys(line).every((key) => key === 'sku' || key === 'lineId')

/** Naming an article is learnt for the channel (`skus`); anything else is a new set of lines. */
function goodsOf(order: CanonicalOrder, lines: PartialLine[]): Pick<ChangeRequest, 'skus'> | { lines: OrderLine[] } {
  const pairs = lines.map((line, index) => ({ line, known: knownLine(order, line, index) }))
  if (pairs.every(({ line, known }) => known !== undefined && namesOnlySku(line))) {
    return {
      skus: Object.fromEntries(
        pairs.flatMap(({ line, known }) => (known && typeof line.sku === 'string' ? [[known.lineId, line.sku]] : [])),
      ),
    }
  }
  const full = pairs.map(({ line, known }, index) => {
    if (!known && (line.sku === undefined || line.sku === null))
      throw wrong(`lines[${index}].sku`, null, 'is missing in a new line', 'Send the SKU.')
    return { ...(known ?? blank(index)), ...line }
  })
  const twice = full.findIndex((line, index) => full.findIndex((other) => other.lineId === line.lineId) !== index)
  if (twice >= 0)
    throw wrong(`lines[${twice}].lineId`, full[twice]?.lineId, 'appears twice', 'Give a new line a lineId of its own.')
  return { lines: full }
}

/** @throws Problem 400 */
export function changeOf(order: CanonicalOrder, change: ChangeRequest): Record<string, unknown> {
  const { buyer, recipient, delivery, lines, ...rest } = change
  const address = recipient?.address
  const cvs = delivery?.cvs
  const goods = lines === undefined ? {} : goodsOf(order, lines)
  return {
    ...rest,
    ...goods,
    ...('skus' in goods || rest.skus ? { skus: { ...rest.skus, ...('skus' in goods ? goods.skus : {}) } } : {}),
    ...(buyer && { buyer: withPhone(buyer, 'buyer.phone') }),
    ...(recipient && {
      recipient: {
        ...withPhone(recipient, 'recipient.phone'),
        ...(address === undefined ? {} : { address: address === null ? null : addressOf(address) }),
      },
    }),
    ...(delivery && { delivery: { ...delivery, ...(cvs ? { cvs: wholeCvs(order, cvs) } : {}) } }),
  }
}

function wholeCvs(order: CanonicalOrder, cvs: NonNullable<NonNullable<ChangeRequest['delivery']>['cvs']>) {
  const chain = cvs.chain ?? order.delivery.cvs?.chain
  if (chain === undefined) throw wrong('delivery.cvs.chain', null, 'is missing', 'Send one of: UNIMART, FAMI, HILIFE, OKMART.')
  return { chain, storeId: cvs.storeId === undefined ? (order.delivery.cvs?.storeId ?? null) : cvs.storeId }
}
