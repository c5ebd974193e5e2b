/** The parcels ECPay knows, and the numbers it gives them. */
import { createdCode } from './journeys.ts'

export interface Merchant { merchantId: string; hashKey: string; hashIv: string; kind: 'B2C' | 'C2C' }

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
  /** Oldest first; the last one is the status now. `at`: yyyy/MM/dd HH:mm:ss in Taipei. */
  history: { code: string; at: string }[]
  tradeDate: string
}

const taipei = (ms: number) => {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Taipei', dateStyle: 'short', timeStyle: 'medium' }).format(new Date(ms))
  return parts.replaceAll('-', '/')
}

export function createParcels(now: () => number) {
  const byNumber = new Map<string, Parcel>()
  const lastAt = new Map<string, number>()
  let serial = 0

  return {
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
        request, hashKey: merchant.hashKey, hashIv: merchant.hashIv,
        bookingNote: home ? `9000${digits}` : '',
        shipmentNo: home ? '' : c2c ? `F${digits.slice(1)}` : digits,
        cvsPaymentNo: c2c ? `F${digits.slice(1)}` : '',
        cvsValidationNo: subType === 'UNIMARTC2C' ? digits.slice(-4) : '',
        cancelled: false,
        tradeDate: taipei(at),
        history: [{ code: createdCode(subType), at: taipei(at) }],
      }
      byNumber.set(parcel.merchantTradeNo, parcel)
      lastAt.set(parcel.merchantTradeNo, at)
      return parcel
    },
    /** Times have seconds only: each status gets one of its own, a second after the last at the earliest. */
    advance(parcel: Parcel, code: string): { code: string; at: string } {
      const at = Math.max(now(), (lastAt.get(parcel.merchantTradeNo) ?? 0) + 1000)
      lastAt.set(parcel.merchantTradeNo, at)
      const step = { code, at: taipei(at) }
      parcel.history.push(step)
      return step
    },
  }
}
export type Parcels = ReturnType<typeof createParcels>
