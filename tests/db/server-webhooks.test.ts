import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { signed } from '../../connectors/ecpay/mac.ts'
import { encodeForm } from '../../connectors/kit/form.ts'
import { stopConnection } from '../../store/connections.ts'
import { ECPAY_KEY, startFixture, type Fixture } from './serverFixture.ts'

let at: Fixture
beforeAll(async () => {
  at = await startFixture()
})
afterEach(() => {
  vi.unstubAllEnvs()
})
afterAll(async () => {
  await at.stop()
})

const report = (id: string, code = '3003', time = '2026/11/22 10:00:00') => ({
  MerchantID: '2000132',
  AllPayLogisticsID: id,
  MerchantTradeNo: `OS${id}`,
  LogisticsSubType: 'TCAT',
  RtnCode: code,
  RtnMsg: '已送達',
  UpdateStatusDate: time,
})
const form = (fields: Record<string, string>) => encodeForm(signed(fields, ECPAY_KEY))
const send = (body: string, path = '/webhooks/ecpay') =>
  at.call(path, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body })
const stored = async (id: string) =>
  (
    await at.db.pool.query(
      `select kind, version, payload ->> 'RtnMsg' as message from inbox where external_id = $1 order by id`,
      [id],
    )
  ).rows
const metric = async (line: string) => (await at.call('/metrics')).text.split('\n').find((each) => each.startsWith(line))

describe('POST /webhooks/{connection}', () => {
  it('stores a genuine report before it answers what the courier expects', async () => {
    expect(await send(form(report('1001')))).toMatchObject({ status: 200, text: '1|OK' })
    expect(await stored('1001')).toEqual([{ kind: 'courierStatus', version: '3003@2026/11/22 10:00:00', message: '已送達' }])
  })

  it('answers a repeat the same and keeps it once', async () => {
    for (let time = 0; time < 3; time++) expect(await send(form(report('1002')))).toMatchObject({ status: 200, text: '1|OK' })
    expect(await stored('1002')).toHaveLength(1)
  })

  it('keeps each of two hundred that arrive together, once', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => send(form(report(`2${index % 100}`)))))
    expect(answers.every(({ status, text }) => status === 200 && text === '1|OK')).toBe(true)
    const { rows } = await at.db.pool.query(`select count(*) as n from inbox where external_id ~ '^2[0-9]{1,2}$'`)
    expect(rows).toEqual([{ n: 100 }])
  })

  it('refuses a forged report, and keeps nothing of it but its count', async () => {
    const forged = encodeForm({ ...signed(report('1003'), ECPAY_KEY), RtnCode: '300' })
    expect(await send(forged)).toMatchObject({ status: 401, body: { title: 'Not verified' } })
    expect(await send(encodeForm(report('1003')))).toMatchObject({ status: 401 })
    expect(await send('')).toMatchObject({ status: 401 })
    expect(await at.call('/webhooks/ecpay', { method: 'POST' })).toMatchObject({ status: 401 })
    expect(await stored('1003')).toEqual([])
    expect(await metric('omnisaga_webhooks_total{connection="ecpay",outcome="forged"}')).toBe(
      'omnisaga_webhooks_total{connection="ecpay",outcome="forged"} 4',
    )
  })

  it('refuses one that is larger than 256 KB', async () => {
    expect(await send(form({ ...report('1004'), RtnMsg: 'x'.repeat(256 * 1024) }))).toMatchObject({ status: 413 })
    expect(await stored('1004')).toEqual([])
  })

  it('knows no connection that does not exist, and none that takes no webhooks', async () => {
    expect(await send('x', '/webhooks/nobody')).toMatchObject({ status: 404 })
    expect(await send('x', '/webhooks/momo')).toMatchObject({ status: 404 })
    expect(await send('x', '/webhooks/a%00b')).toMatchObject({ status: 400 })
    expect((await at.call('/metrics')).text).not.toContain('nobody')
  })

  it('asks to come again later above the inbox limit', async () => {
    vi.stubEnv('OMNISAGA_INBOX_LIMIT', '0')
    const { status, headers, body } = await send(form(report('1005')))
    expect(status).toBe(503)
    expect(headers.get('retry-after')).toBe('30')
    expect(body).toMatchObject({ title: 'Unavailable' })
    expect(await stored('1005')).toEqual([])
  })

  it('keeps what the world reports to a stopped connection', async () => {
    await stopConnection(at.db.pool, 'ecpay', 'the key is wrong')
    expect(await send(form(report('1006')))).toMatchObject({ status: 200, text: '1|OK' })
    expect(await stored('1006')).toHaveLength(1)
  })

  it('stores the others of a batch when one of them cannot be stored', async () => {
    const answers = await Promise.all(
      ['1007', '1008', '1009'].map((id) => send(form({ ...report(id), RtnMsg: id === '1008' ? 'a\u0000b' : '已送達' }))),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 200])
    expect(await stored('1007')).toHaveLength(1)
    expect(await stored('1009')).toHaveLength(1)
  })
})
