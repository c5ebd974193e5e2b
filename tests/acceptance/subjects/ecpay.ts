import { macOf } from '../../../simulators/ecpay/mac.ts'
import { startEcpaySimulator, TEST_MERCHANTS } from '../../../simulators/ecpay/index.ts'
import { aParcel, bookOnce, RECIPIENT } from '../samples.ts'
import type { Subject } from '../subject.ts'

const KEY = { hashKey: '5294y06JbISpM5x9', hashIv: 'v77hoKGq4kWxNNIS' }
const parcel = aParcel({ service: 'TCAT' })

const report = (key = KEY) => {
  const fields: Record<string, string> = {
    MerchantID: '2000132',
    MerchantTradeNo: 'OSACCEPTANCE00000001',
    RtnCode: '3001',
    RtnMsg: '轉運中',
    AllPayLogisticsID: '10000001',
    LogisticsType: 'HOME',
    LogisticsSubType: 'TCAT',
    UpdateStatusDate: '2026/11/22 10:00:00',
    ReceiverName: RECIPIENT.name,
    ReceiverCellPhone: '0912345678',
    BookingNote: '900000000001',
  }
  const body = new URLSearchParams({ ...fields, CheckMacValue: macOf(fields, key.hashKey, key.hashIv) }).toString()
  return { headers: { 'content-type': 'application/x-www-form-urlencoded' }, rawBody: Buffer.from(body) }
}

export const subject: Subject = {
  name: 'ecpay',
  async stage() {
    const sim = await startEcpaySimulator({ merchants: TEST_MERCHANTS, callbackAttempts: 1 })
    return {
      config: { merchantId: '2000132', ...KEY, baseUrl: sim.url, serverReplyUrl: 'http://127.0.0.1:9/webhooks/ecpay' },
      secrets: [KEY.hashKey, KEY.hashIv],
      personalData: [RECIPIENT.name, RECIPIENT.phone, '0912345678', RECIPIENT.address],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { hashKey: 'not-the-right-key' }, says: /CheckMacValue.*hashKey/s },
        { name: 'a wrong account', config: { merchantId: '9999999' }, says: /merchantId/ },
        { name: 'nobody there', config: { baseUrl: 'http://127.0.0.1:9' }, says: /no connection|baseUrl/ },
      ],
      read: { run: (ctx, { courier }) => courier!.lookUp(ctx, parcel), request: { path: '/Helper/QueryLogisticsTradeInfo' } },
      writes: [
        {
          name: 'courier.book',
          run: (ctx, connector) => bookOnce(ctx, connector, parcel),
          effects: () => sim.parcels().length,
          request: { path: '/Express/Create' },
        },
        {
          name: 'courier.book UNIMART, cash on delivery',
          run: (ctx, connector) =>
            bookOnce(
              ctx,
              connector,
              aParcel({
                service: 'UNIMART',
                method: 'cvs',
                cvs: { chain: 'UNIMART', storeId: '131386' },
                amountDueMinor: 118_000,
              }),
            ),
          effects: () => sim.parcels().length,
          request: { path: '/Express/Create' },
        },
        {
          name: 'courier.bookReturn',
          run: (ctx, { courier }) => courier!.bookReturn!(ctx, { ...parcel, original: null }),
          effects: () => sim.extra.returns.length,
          request: { path: '/Express/ReturnHome' },
          leftToPerson: 'ECPay gives a return its own number and answers no question about it',
        },
      ],
      webhook: {
        genuine: () => report(),
        records: 1,
        signatureHeader: null,
        forge: () => report({ hashKey: '0000000000000000', hashIv: '0000000000000000' }),
        withoutSecret: null,
      },
      lenient: {
        unknownStatus: {
          record: {
            kind: 'courierStatus',
            externalId: '10000001',
            version: '9876@2026/11/22 10:00:00',
            eventAt: '2026-11-22T10:00:00+08:00',
            payload: { AllPayLogisticsID: '10000001', RtnCode: '9876', LogisticsSubType: 'TCAT' },
          },
          seen: (mapped) => (mapped as { code: string }).code === '9876' && (mapped as { meaning: string }).meaning === 'unknown',
        },
        malformed: {
          kind: 'courierStatus',
          externalId: '10000001',
          version: '@',
          eventAt: null,
          payload: { AllPayLogisticsID: '10000001' },
        },
      },
      stop: () => sim.stop(),
    }
  },
}
