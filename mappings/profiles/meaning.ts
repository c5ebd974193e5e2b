/** What the words of a column mean. A layout's own words come first; a status that nobody knows holds the order and is shown. */
import type { CvsChain, Delivery } from '../../domain/order.ts'
import { normaliseText } from '../normalise/index.ts'
import { orNull } from './rows.ts'
import type { MappedRow, Problems } from './types.ts'

export type StatusMeaning = 'open' | 'cancelled' | 'onHold' | 'unpaid' | 'paid' | 'shipped'
export type DeliveryMeaning = CvsChain | 'TCAT' | 'POST' | 'home' | 'storePickup' | 'handOver' | 'channel' | 'channelStore'

/** Words by meaning, compared without width, case and white space around. */
export interface Words {
  status?: Partial<Record<StatusMeaning, readonly string[]>>
  delivery?: Partial<Record<DeliveryMeaning, readonly string[]>>
  /** What a delivery means that no word names; without it the row is told. */
  otherDelivery?: 'home'
}

const key = (text: string) => normaliseText(text).toLowerCase()
const own = <M extends string>(words: Partial<Record<M, readonly string[]>> | undefined, text: string): M | undefined =>
  (Object.entries(words ?? {}) as [M, readonly string[]][]).find(([, list]) => list.some((word) => key(word) === key(text)))?.[0]

export interface Status {
  cancelled: boolean
  onHold: boolean
  fulfilled: boolean
  unpaid: boolean
  paid: boolean
  note: string | null
}

const STATUS: [RegExp, StatusMeaning][] = [
  [/取消中|申請取消|等待取消|待取消|cancel(l?ation)? (requested|pending)/i, 'onHold'],
  [/取消|作廢|不成立|^cancel(l?ed)?$|^void(ed)?$/i, 'cancelled'],
  [/退款中|退貨中|部分退款|partially[ _]refunded/i, 'onHold'],
  [/^已?退款$|^已?退貨$|^refunded$/i, 'onHold'],
  [/未付款|待付款|付款中|^unpaid$|^pending$|^authorized$|partially[ _]paid|^expired$/i, 'unpaid'],
  [/已付款|付款完成|付款成功|^paid$/i, 'paid'],
  [
    /未出貨|待出貨|備貨|處理中|待處理|理貨|確認中?$|已確認|新訂單|成立|^(open|new|processing|unfulfilled|unshipped|confirmed)$/i,
    'open',
  ],
  [/部分出貨|^partial(ly[ _]fulfilled)?$/i, 'onHold'],
  [/已出貨|出貨完成|運送中|配送中|已送達|已到店|已取貨|完成|^(shipped|fulfilled|delivered|completed?|closed)$/i, 'shipped'],
]

/** From the columns `status`, `paymentState`, `cancelledAt` and `shippedAt`. */
export function statusOf(whole: MappedRow, words: Words | undefined): Status {
  const status: Status = { cancelled: false, onHold: false, fulfilled: false, unpaid: false, paid: false, note: null }
  if (whole.text('cancelledAt') !== '') return { ...status, cancelled: true }
  const notes: string[] = []
  for (const field of ['status', 'paymentState'] as const) {
    const text = whole.text(field)
    if (text === '') continue
    const meaning = own(words?.status, text) ?? STATUS.find(([pattern]) => pattern.test(text))?.[1]
    if (meaning === 'cancelled') status.cancelled = true
    else if (meaning === 'shipped') status.fulfilled ||= field === 'status'
    else if (meaning === 'paid') status.paid = true
    else if (meaning === 'unpaid') status.unpaid = true
    else if (meaning !== 'open') {
      status.onHold = true
      notes.push(`${whole.header(field)} ${text}`)
    }
  }
  return { ...status, note: notes.join('\n') || null }
}

const DELIVERY: [RegExp, DeliveryMeaning][] = [
  [/蝦皮店到店|智取店/, 'channelStore'],
  [/7-?\s?(11|eleven)|統一超商|小七|unimart/i, 'UNIMART'],
  [/全家|family\s?mart|^fami/i, 'FAMI'],
  [/萊爾富|hi-?\s?life/i, 'HILIFE'],
  [/^OK$|OK\s?-?(mart|超商)/i, 'OKMART'],
  [/門市自取|自取|到店取|來店取|pick[ -]?up/i, 'storePickup'],
  [/面交|hand[ -]?over/i, 'handOver'],
  [/黑貓|宅急便|t-?cat/i, 'TCAT'],
  [/郵局|郵政|郵寄|chunghwa post/i, 'POST'],
  [/宅配|到府|到家|快遞|貨運|物流|home|courier|standard|express/i, 'home'],
]
const CHAINS: ReadonlySet<string> = new Set(['UNIMART', 'FAMI', 'HILIFE', 'OKMART'])

/** From `delivery`, else `chain`, else what `paymentMethod` says of a chain; a store's number alone names no chain. */
export function deliveryOf(
  whole: MappedRow,
  byDefault: Delivery['method'],
  words: Words | undefined,
  masked: boolean,
  problems: Problems,
): Delivery {
  const field = whole.text('delivery') !== '' ? 'delivery' : whole.text('delivery2') !== '' ? 'delivery2' : 'chain'
  const text = whole.text(field)
  const meaning = own(words?.delivery, text) ?? (text === '' ? undefined : DELIVERY.find(([pattern]) => pattern.test(text))?.[1])
  const storeId = orNull(whole.text('storeId'))
  const empty: Delivery = { method: 'home', service: null, cvs: null, location: null, promisedBy: null }
  // A convenience store that no delivery column tells is often told by the way to pay: 7-11取貨付款.
  const implied =
    text === '' && storeId !== null
      ? DELIVERY.find(([pattern, means]) => CHAINS.has(means) && pattern.test(whole.text('paymentMethod')))?.[1]
      : undefined
  const found = meaning ?? implied
  if (found !== undefined) return byMeaning(found, empty, storeId, masked)
  if (text === '' && storeId === null) return { ...empty, method: byDefault, service: masked ? 'channel' : null }
  if (text !== '' && words?.otherDelivery === 'home') return { ...empty, service: masked ? 'channel' : null }
  problems.add(
    whole,
    field === 'chain' ? 'storeId' : field,
    'unknownDelivery',
    text === ''
      ? 'A pickup store is given, but not of which chain. Write 7-11, 全家, 萊爾富 or OK into the column of the delivery and import the file again.'
      : `The delivery ${text} is not known. Write 7-11, 全家, 萊爾富, OK, 宅配, 黑貓, 郵局 or 門市自取 and import the file again.`,
  )
  return empty
}

function byMeaning(meaning: DeliveryMeaning, empty: Delivery, storeId: string | null, masked: boolean): Delivery {
  switch (meaning) {
    case 'UNIMART':
    case 'FAMI':
    case 'HILIFE':
    case 'OKMART':
      return { ...empty, method: 'cvs', service: masked ? 'channel' : null, cvs: { chain: meaning, storeId } }
    case 'TCAT':
    case 'POST':
      return { ...empty, service: masked ? 'channel' : meaning }
    case 'storePickup':
    case 'handOver':
      return { ...empty, method: meaning, location: storeId }
    case 'channel':
      return { ...empty, service: 'channel' }
    case 'channelStore':
      return { ...empty, method: 'cvs', service: 'channel' }
    case 'home':
      return { ...empty, service: masked ? 'channel' : null }
  }
}
