/** Labels of our own and manifests over HTTP: printed again nothing is booked, and no parcel is handed over twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyConnections } from '../../store/configuration.ts'
import { drawings } from '../harness/pdf.ts'
import { startFixture, inStoreOrder, type Fixture } from './serverFixture.ts'

let at: Fixture
/** Courier calls that were made. */
const calls: string[] = []
beforeAll(async () => {
  at = await startFixture()
  const ecpay = at.runtime.connectors.ecpay
  if (ecpay?.courier === undefined) throw new Error('no courier to stand in for')
  const { labels: _labels, ...mute } = ecpay.courier
  const scanForm = () => {
    calls.push('manifest')
    return Promise.resolve({ contentType: 'image/png', bytes: Buffer.from('scan form') })
  }
  const standIns = {
    ...at.runtime.connectors,
    mute: { ...ecpay, name: 'mute', courier: mute },
    postal: { ...ecpay, name: 'postal', courier: { ...ecpay.courier, manifest: scanForm } },
  }
  Object.assign(at.runtime.connectors, standIns)
  const config = {
    merchantId: '2000132',
    hashKey: '5294y06JbISpM5x9',
    hashIv: 'v77hoKGq4kWxNNIS',
    baseUrl: 'http://127.0.0.1:9',
    serverReplyUrl: 'http://127.0.0.1:8/webhooks/x',
  }
  await applyConnections(
    at.db.pool,
    at.runtime.secretKey,
    { connections: ['mute', 'postal'].map((name) => ({ name, connector: name, config })) },
    standIns,
  )
})
afterAll(() => at?.stop())

let serial = 0
/** An order with a packed unit and a booked parcel. */
async function booked(courier: string): Promise<{ orderId: string; parcel: string }> {
  serial += 1
  const { body } = await at.post('/api/v1/orders', inStoreOrder(`H-${serial}`, { payment: { method: 'cod' } }))
  const orderId = (body as { id: string }).id
  const unit = `${orderId}-u1`
  await at.db.pool.query(
    `insert into units (id, order_id, serial, location, state, weight_grams) values ($1, $2, 1, 'taipei', 'packed', 700)`,
    [unit, orderId],
  )
  await at.db.pool.query(
    `insert into unit_lines (unit_id, line_id, sku, quantity, picked, packed) values ($1, '1', 'TEE-S', 2, 2, 2)`,
    [unit],
  )
  await at.db.pool.query(
    `insert into parcels (id, order_id, unit_id, attempt, courier, service, reference, state, waybill, courier_booking_id, amount_due_minor, label_amount_minor)
     values ($1, $2, $3, 1, $4, 'TCAT', $5, 'booked', $6, $7, 118000, 118000)`,
    [`${unit}-p1`, orderId, unit, courier, `OSHAND${serial}`, `9078123456${serial}`, `B${serial}`],
  )
  return { orderId, parcel: `${unit}-p1` }
}
const bytesOf = async (path: string) => {
  const answer = await fetch(`${at.server.url}${path}`)
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    bytes: Buffer.from(await answer.arrayBuffer()),
  }
}

describe('a courier that prints no labels', () => {
  it('gets ours, the same each time, also among others in a batch', async () => {
    const one = await booked('mute')
    const two = await booked('mute')
    const first = await bytesOf(`/api/v1/parcels/${one.parcel}/label`)
    expect(first).toMatchObject({ status: 200, type: 'application/pdf' })
    const again = await bytesOf(`/api/v1/parcels/${one.parcel}/label`)
    expect(drawings(again.bytes)).toEqual(drawings(first.bytes))
    expect(drawings(first.bytes)).toHaveLength(1)
    const { body } = await at.post('/api/v1/labels', { parcels: [one.parcel, two.parcel] })
    const { documents, refused } = body as { documents: { parcels: string[]; content: string }[]; refused: unknown[] }
    expect(refused).toEqual([])
    expect(documents.map(({ parcels }) => parcels)).toEqual([[one.parcel, two.parcel]])
    expect(drawings(Buffer.from(documents[0]?.content ?? '', 'base64'))).toHaveLength(2)
  })
})

describe('a manifest', () => {
  const create = (courier: string, location = 'taipei') => at.post('/api/v1/manifests', { location, courier })

  it('takes each parcel once, also when two are closed at the same moment', async () => {
    await create('mute') // what the labels left
    const parcels = [await booked('mute'), await booked('mute'), await booked('mute')]
    const both = await Promise.all([create('mute'), create('mute')])
    const made = both.filter(({ status }) => status === 201).map(({ body }) => (body as { id: string }).id)
    const listed: string[] = []
    for (const id of made) {
      const { body } = await at.call(`/api/v1/manifests/${id}`)
      listed.push(...(body as { waybills: { parcel: string }[] }).waybills.map(({ parcel }) => parcel))
    }
    expect(listed.sort()).toEqual(parcels.map(({ parcel }) => parcel).sort())
    expect((await create('mute')).status).toBe(409)
    const paper = await bytesOf(`/api/v1/manifests/${made[0]}/paper`)
    expect(paper).toMatchObject({ status: 200, type: 'application/pdf' })
  })

  it("is the courier's own paper where it makes one, asked for once; ours when wished", async () => {
    await booked('postal')
    const { body } = await create('postal')
    const { id } = body as { id: string }
    expect(body).toMatchObject({ parcels: 1, courierPaper: true })
    for (let print = 0; print < 2; print++)
      expect(await bytesOf(`/api/v1/manifests/${id}/paper`)).toMatchObject({ type: 'image/png', bytes: Buffer.from('scan form') })
    expect(await bytesOf(`/api/v1/manifests/${id}/paper?own=true`)).toMatchObject({ type: 'application/pdf' })
    expect(calls).toEqual(['manifest'])
  })

  it('names what does not exist', async () => {
    expect((await create('mute', 'nowhere')).status).toBe(422)
    expect((await create('store-taipei')).status).toBe(422)
    expect((await at.call('/api/v1/manifests/none')).status).toBe(404)
    expect((await at.call('/api/v1/manifests/none/paper')).status).toBe(404)
    expect((await at.post('/api/v1/manifests/none/handed-over', {})).status).toBe(404)
    expect((await at.call('/api/v1/waves/none/pick-list.pdf')).status).toBe(404)
    expect((await at.call('/api/v1/units/none/delivery-note.pdf')).status).toBe(404)
  })
})

describe('the page of a station', () => {
  it('is one file that loads nothing from elsewhere', async () => {
    const { status, headers, text } = await at.call('/packing')
    expect(status).toBe(200)
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(text).not.toMatch(/(src|href)="http/)
    expect(text).toContain('/api/v1/packing/scan')
  })
})
