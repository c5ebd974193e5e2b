/** The parcels ECPay knows, and the numbers it gives them; kept in a file where one is named, so that a restart forgets nothing. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createdCode } from './journeys.ts'

export interface Merchant {
  merchantId: string
  hashKey: string
  hashIv: string
  kind: 'B2C' | 'C2C'
}

export interface Parcel {
  merchantTradeNo: string
  allPayLogisticsId: string
  /** Everything Create was called with. */
  request: Record<string, string>
  hashKey: string
  hashIv: string
  bookingNote: string
  shipmentNo: string
  cvsPaymentNo: string
  cvsValidationNo: string
  cancelled: boolean
  /** Cash that was collected and paid out, in dollars; `date`: yyyy/MM/dd. */
  paidOut?: { date: string; amount: number; fee: number }
  /** Oldest first; the last one is the status now. `at`: yyyy/MM/dd HH:mm:ss in Taipei. */
  history: { code: string; at: string }[]
  tradeDate: string
}

const taipei = (ms: number) => {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Taipei', dateStyle: 'short', timeStyle: 'medium' }).format(
    new Date(ms),
  )
  return parts.replaceAll('-', '/')
}

export function createParcels(now: () => number, stateFile?: string) {
  const byNumber = new Map<string, Parcel>()
  if (stateFile && existsSync(stateFile)) {
    for (const parcel of JSON.parse(readFileSync(stateFile, 'utf8')) as Parcel[]) byNumber.set(parcel.merchantTradeNo, parcel)
  }
  let serial = byNumber.size
  const closedStores = new Set<string>()

  /** Whole or not at all: a stop in the middle leaves the file as it was. */
  function save(): void {
    if (!stateFile) return
    writeFileSync(`${stateFile}.new`, JSON.stringify([...byNumber.values()]))
    renameSync(`${stateFile}.new`, stateFile)
  }

  return {
    /** Stores that take no parcels any more. */
    closedStores,
    all: (): Parcel[] => [...byNumber.values()],
    find: (merchantTradeNo: string): Parcel | undefined => byNumber.get(merchantTradeNo),
    findById: (id: string): Parcel | undefined => [...byNumber.values()].find((parcel) => parcel.allPayLogisticsId === id),
    create(request: Record<string, string>, merchant: Merchant): Parcel {
      serial += 1
      const subType = request.LogisticsSubType ?? ''
      const digits = String(serial).padStart(8, '0')
      const home = request.LogisticsType === 'HOME'
      const c2c = subType.endsWith('C2C')
      const at = now()
      const parcel: Parcel = {
        merchantTradeNo: request.MerchantTradeNo || `SIM${digits}`,
        allPayLogisticsId: String(10_000_000 + serial),
        request,
        hashKey: merchant.hashKey,
        hashIv: merchant.hashIv,
        bookingNote: home ? `9000${digits}` : '',
        shipmentNo: home ? '' : c2c ? `F${digits.slice(1)}` : digits,
        cvsPaymentNo: c2c ? `F${digits.slice(1)}` : '',
        cvsValidationNo: subType === 'UNIMARTC2C' ? digits.slice(-4) : '',
        cancelled: false,
        tradeDate: taipei(at),
        history: [{ code: createdCode(subType), at: taipei(at) }],
      }
      byNumber.set(parcel.merchantTradeNo, parcel)
      save()
      return parcel
    },
    payOut(parcel: Parcel, paidOut: NonNullable<Parcel['paidOut']>): void {
      parcel.paidOut = paidOut
      save()
    },
    /** Times have seconds only: each status gets one of its own, a second after the last at the earliest. */
    advance(parcel: Parcel, code: string): { code: string; at: string } {
      const last = parcel.history.at(-1)?.at ?? parcel.tradeDate
      const at = Math.max(now(), Date.parse(`${last.replaceAll('/', '-').replace(' ', 'T')}+08:00`) + 1000)
      const step = { code, at: taipei(at) }
      parcel.history.push(step)
      save()
      return step
    },
  }
}
export type Parcels = ReturnType<typeof createParcels>
