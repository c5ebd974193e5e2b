/** 寄送方式 (or 出貨方式) of Shopee Taiwan's export -> delivery. */
import type { CvsChain, Delivery } from '../../domain/order.ts'
import { firstText, orNull } from './rows.ts'
import type { MappedRow, Problems } from './types.ts'

/** Shopee's own network first: 蝦皮店到店 is none of the four chains, its label is Shopee's. */
const CHANNEL_STORE = /蝦皮店到店|蝦皮智取|智取店/
const CHANNEL_HOME = /蝦皮宅配|蝦皮海外|蝦皮直送|店到家/
const CHAINS: [RegExp, CvsChain][] = [
  [/7-?\s?(11|eleven)|統一超商|小七/i, 'UNIMART'],
  [/全家|family\s?mart/i, 'FAMI'],
  [/萊爾富|hi-?\s?life/i, 'HILIFE'],
  [/^OK$|OK\s?-?(mart|超商)/i, 'OKMART'],
]
const HOME: [RegExp, string | null][] = [
  [/黑貓|宅急便|t-?cat/i, 'TCAT'],
  [/郵局|郵政|郵寄/, 'POST'],
  [/宅配|到家|快遞|貨運|物流|賣家自行/, null],
]

export function readDelivery(rows: MappedRow[], maskedRecipient: boolean, problems: Problems): Delivery {
  const field = firstText(rows, 'delivery') === '' ? 'delivery2' : 'delivery'
  const text = firstText(rows, field)
  const storeId = orNull(firstText(rows, 'storeId'))
  const delivery: Delivery = { method: 'home', service: null, cvs: null, location: null, promisedBy: null }
  if (CHANNEL_STORE.test(text)) return { ...delivery, method: 'cvs', service: 'channel' }
  if (CHANNEL_HOME.test(text)) return { ...delivery, service: 'channel' }
  const chain = CHAINS.find(([pattern]) => pattern.test(text))?.[1]
  // Shopee masks the recipient when the parcel travels under its own label.
  if (chain) return { ...delivery, method: 'cvs', service: maskedRecipient ? 'channel' : null, cvs: { chain, storeId } }
  const home = HOME.find(([pattern]) => pattern.test(text))
  if (home) return { ...delivery, service: maskedRecipient ? 'channel' : home[1] }
  if (text === '' && storeId === null) return { ...delivery, service: maskedRecipient ? 'channel' : null }
  const [first] = rows
  const asked = rows.find((row) => row.text(field) !== '') ?? first
  if (asked) {
    problems.add(
      asked,
      field,
      'unknownDelivery',
      text === ''
        ? 'A pickup store is given, but not of which chain. Write 7-11, 全家, 萊爾富 or OK into 寄送方式 and import the file again.'
        : `The delivery ${text} is not known. Write 7-11, 全家, 萊爾富, OK, 蝦皮店到店, 蝦皮宅配, 黑貓 or 宅配 and import the file again.`,
    )
  }
  return delivery
}
