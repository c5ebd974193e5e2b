/**
 * Courier's reports a second: signature verified, stored in PostgreSQL, answered; beside a bare node:http server that reads the same
 * requests and answers. 32 connections, each server a process of its own, rounds in turn.
 */
import { createHash } from 'node:crypto'
import { connectors } from '../connectors/registry.ts'
import { applyConnections } from '../store/configuration.ts'
import { createPool } from '../store/db.ts'
import { migrate } from '../store/migrate.ts'
import { secretKeyFrom } from '../store/secrets.ts'
import { startChild } from './child.ts'
import { compared, type Measure } from './measure.ts'
import type { Place } from './place.ts'
import { httpPost, sendAll } from './webhooks/load.ts'

const CONNECTIONS = 32
const GOAL_RATIO = 0.5
const HASH_KEY = 'a-hash-key-of-ours'
const HASH_IV = 'a-hash-iv-of-ours'
const MERCHANT = '2000132'

export async function webhookMeasures(place: Place, quick: boolean): Promise<Measure[]> {
  const rounds = quick ? 1 : 5
  const requests = quick ? 3_000 : 10_000
  const databaseUrl = await place.database()
  await configure(databaseUrl)
  const product = await startChild('./webhooks/server.ts', ['product', databaseUrl], {
    OMNISAGA_LOG: 'error',
    OMNISAGA_INBOX_LIMIT: '10000000',
  })
  const bare = await startChild('./webhooks/server.ts', ['bare'])
  try {
    let serial = 0
    const reports = (count: number) => Array.from({ length: count }, () => report(++serial))
    const rates = { product: [] as number[], bare: [] as number[] }
    // Compilers, connections and plans are warm before the first round.
    await sendAll(Number(bare.said), reports(2_000), CONNECTIONS)
    await sendAll(Number(product.said), reports(2_000), CONNECTIONS)
    for (let round = 0; round < rounds; round++) {
      rates.bare.push(await sendAll(Number(bare.said), reports(requests), CONNECTIONS))
      rates.product.push(await sendAll(Number(product.said), reports(requests), CONNECTIONS))
    }
    return [
      compared(
        `webhooks: verified, stored, answered, ${CONNECTIONS} connections; against bare node:http`,
        '1/s',
        rates.product,
        rates.bare,
        GOAL_RATIO,
      ),
    ]
  } finally {
    await Promise.all([product.end(), bare.end()])
  }
}

async function configure(databaseUrl: string): Promise<void> {
  const pool = createPool(databaseUrl, { max: 1 })
  await migrate(pool)
  const config = {
    merchantId: MERCHANT,
    hashKey: HASH_KEY,
    hashIv: HASH_IV,
    baseUrl: 'http://127.0.0.1:1',
    serverReplyUrl: 'http://127.0.0.1:1/webhooks/ecpay',
  }
  await applyConnections(
    pool,
    secretKeyFrom('a passphrase for the benchmark'),
    { connections: [{ name: 'ecpay', connector: 'ecpay', config }] },
    connectors,
  )
  await pool.end()
}

/** A status report as ECPay sends it, of a parcel of its own, signed. */
function report(serial: number): Buffer {
  const fields: Record<string, string> = {
    MerchantID: MERCHANT,
    MerchantTradeNo: `B${serial}`,
    RtnCode: '3003',
    RtnMsg: '配完',
    AllPayLogisticsID: String(10_000_000 + serial),
    LogisticsType: 'HOME',
    LogisticsSubType: 'TCAT',
    GoodsAmount: '590',
    UpdateStatusDate: '2026/01/02 03:04:05',
    ReceiverName: '陳測試',
    ReceiverPhone: '',
    ReceiverCellPhone: '0912345678',
    ReceiverEmail: '',
    ReceiverAddress: '臺北市信義區市府路45號',
    CVSPaymentNo: '',
    CVSValidationNo: '',
    BookingNote: String(900_000_000_000 + serial),
  }
  return httpPost(
    '/webhooks/ecpay',
    'application/x-www-form-urlencoded',
    new URLSearchParams({ ...fields, CheckMacValue: mac(fields) }).toString(),
  )
}

/** CheckMacValue, written from ECPay's description and not with the product's own code. */
function mac(fields: Record<string, string>): string {
  const names = Object.keys(fields).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
  const text = `HashKey=${HASH_KEY}&${names.map((name) => `${name}=${fields[name]}`).join('&')}&HashIV=${HASH_IV}`
  return createHash('md5').update(encodeURIComponent(text).replace(/%20/g, '+').toLowerCase()).digest('hex').toUpperCase()
}
