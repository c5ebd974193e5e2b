/** Sends status reports as ECPay does: a signed form, again until the answer is `1|OK`, at most `attempts` times. */
import { macOf } from './mac.ts'
import type { Parcel } from './parcels.ts'

export interface CallbackLog {
  merchantTradeNo: string
  code: string
  updateStatusDate: string
  attempt: number
  forged: boolean
  status: number | null
  answer: string
}
export interface CallbackOptions {
  attempts: number
  retryMs: number
  timeoutMs: number
}
export interface Callback {
  parcel: Parcel
  code: string
  at: string
  forged?: boolean
}

const wait = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms)
  })

const MESSAGES: Record<string, string> = { 300: '訂單處理中', 3003: '配完', 2067: '買家已到店取貨', 3022: '買家已到店取貨' }

export function callbackFields({ parcel, code, at, forged = false }: Callback): Record<string, string> {
  const f = parcel.request
  const fields: Record<string, string> = {
    MerchantID: f.MerchantID ?? '',
    MerchantTradeNo: parcel.merchantTradeNo,
    RtnCode: code,
    RtnMsg: MESSAGES[code] ?? `狀態 ${code}`,
    AllPayLogisticsID: parcel.allPayLogisticsId,
    LogisticsType: f.LogisticsType ?? '',
    LogisticsSubType: f.LogisticsSubType ?? '',
    GoodsAmount: f.GoodsAmount ?? '',
    UpdateStatusDate: at,
    ReceiverName: f.ReceiverName ?? '',
    ReceiverPhone: f.ReceiverPhone ?? '',
    ReceiverCellPhone: f.ReceiverCellPhone ?? '',
    ReceiverEmail: f.ReceiverEmail ?? '',
    ReceiverAddress: f.ReceiverAddress ?? '',
    CVSPaymentNo: parcel.cvsPaymentNo,
    CVSValidationNo: parcel.cvsValidationNo,
    BookingNote: parcel.bookingNote,
  }
  // A forger knows everything but the keys.
  const [key, iv] = forged ? (['0000000000000000', '0000000000000000'] as const) : ([parcel.hashKey, parcel.hashIv] as const)
  return { ...fields, CheckMacValue: macOf(fields, key, iv) }
}

export function createCallbacks(options: CallbackOptions) {
  const log: CallbackLog[] = []
  const pending = new Set<Promise<void>>()
  let stopped = false

  async function once(callback: Callback, attempt: number): Promise<boolean> {
    const entry: CallbackLog = {
      merchantTradeNo: callback.parcel.merchantTradeNo,
      code: callback.code,
      updateStatusDate: callback.at,
      attempt,
      forged: callback.forged ?? false,
      status: null,
      answer: '',
    }
    log.push(entry)
    try {
      const response = await fetch(callback.parcel.request.ServerReplyURL ?? '', {
        method: 'POST',
        body: new URLSearchParams(callbackFields(callback)),
        signal: AbortSignal.timeout(options.timeoutMs),
      })
      entry.status = response.status
      entry.answer = (await response.text()).slice(0, 200)
    } catch (error) {
      entry.answer = error instanceof Error ? error.message : String(error) // nobody answered: kept in the log, tried again
    }
    return entry.answer.trim() === '1|OK'
  }

  async function deliver(callback: Callback): Promise<void> {
    for (let attempt = 1; attempt <= (callback.forged ? 1 : options.attempts) && !stopped; attempt++) {
      if (await once(callback, attempt)) return
      if (attempt < options.attempts && !callback.forged) await wait(options.retryMs)
    }
  }

  return {
    log,
    /** Resolves when it was taken or given up. */
    send(callback: Callback): Promise<void> {
      const sending = deliver(callback).finally(() => pending.delete(sending))
      pending.add(sending)
      return sending
    },
    async idle(): Promise<void> {
      while (pending.size > 0) await Promise.all(pending)
    },
    stop() {
      stopped = true
    },
  }
}
export type Callbacks = ReturnType<typeof createCallbacks>
