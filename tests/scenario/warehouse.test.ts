/** A warehouse without a system of its own: picked from paper, packed by scanner, handed over with a manifest. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { startWorld, storeOrder, type OrderBody, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld({ stock: { 'TEE-S': 5 } })
  await applyConnections(
    world.runtime.pool,
    world.runtime.secretKey,
    {
      locations: [
        {
          id: 'wh-hand',
          name: '手揀倉',
          kind: 'warehouse',
          priority: 2,
          courierHome: 'ecpay',
          courierCvs: 'ecpay',
          sender: { name: '林小倉', phone: '+886912000333', postalCode: '330', address: '桃園市桃園區縣府路1號' },
          packing: { splitBy: ['courier'] },
        },
      ],
      products: [
        {
          sku: 'CAP',
          name: '帽子',
          barcode: '4711111111111',
          shelves: { 'wh-hand': 'A-2' },
          sizeMm: [200, 150, 100],
          weightGrams: 150,
        },
        {
          sku: 'MUG',
          name: '馬克杯',
          barcode: '4712222222222',
          shelves: { 'wh-hand': 'A-10' },
          fragile: true,
          sizeMm: [100, 100, 100],
        },
        { sku: 'TEE-S', name: '上衣', barcode: '4713333333333' },
      ],
      boxes: [
        { id: 'S', name: '小箱', innerMm: [300, 250, 200] },
        { id: 'F', name: '緩衝箱', innerMm: [350, 300, 250], fragile: true },
      ],
    },
    world.runtime.connectors,
  )
  for (const sku of ['CAP', 'MUG'])
    await transaction(world.runtime.pool, (tx) =>
      setOnHand(tx, { key: `count:wh-hand:${sku}`, sku, location: 'wh-hand', onHand: 10, reason: 'count' }),
    )
})
afterAll(() => world?.stop())

interface Told {
  message: { tone: string; zh: string; en: string }
  next: { zh: string; en: string }
  box: { unitId: string; suggestedBox: string | null } | null
  closed: string | null
}
const scan = async (code: string) => {
  const { status, body } = await world.post<Told>('/api/v1/packing/scan', { station: 'bench-1', code, scanId: `${scans++}` })
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
let scans = 0
const file = async (path: string) => {
  const answer = await fetch(`${world.url}${path}`)
  return {
    status: answer.status,
    type: answer.headers.get('content-type') ?? '',
    text: Buffer.from(await answer.arrayBuffer()).toString('latin1'),
  }
}
const waveWithUnits = (seen: number) =>
  world.until(`wave ${seen + 1} is made`, async () => {
    const { body } = await world.get<{ waves: { id: string; units: number; state: string }[] }>('/api/v1/waves?location=wh-hand')
    return body.waves.length > seen && body.waves[0]?.state === 'written' ? body.waves[0] : null
  })
const labelled = (unitId: string) =>
  world.until(`the label of ${unitId} is there`, async () => {
    const { body } = await world.get<{ last: { unitId: string; label: string | null } | null }>(
      '/api/v1/packing/stations/bench-1',
    )
    return body.last?.unitId === unitId ? body.last.label : null
  })

it('a person picks, scans, packs and hands over: what is wrong is stopped, what is broken comes from elsewhere, everything arrives', async () => {
  const placed = await world.post<OrderBody>(
    '/api/v1/orders',
    storeOrder({
      lines: [
        { sku: 'CAP', quantity: 2, unitPriceMinor: 30_000 },
        { sku: 'MUG', quantity: 1, unitPriceMinor: 20_000 },
      ],
    }),
  )
  const { id } = placed.body
  const wave = await waveWithUnits(0)
  const list = await file(`/api/v1/waves/${wave.id}/pick-list.pdf`)
  expect([list.status, list.type]).toEqual([200, 'application/pdf'])
  expect(list.text.match(/\/Type \/Page\b/g)).toHaveLength(2)

  expect(await scan(wave.id)).toMatchObject({ message: { tone: 'ok' }, box: { suggestedBox: 'F' } })
  expect((await scan('4713333333333')).message).toMatchObject({ tone: 'stop', zh: expect.stringContaining('拿錯了') })
  expect((await scan('DONE')).message.tone).toBe('stop')
  await scan('UNDO')
  await scan('4712222222222')
  expect((await scan('4712222222222')).message).toMatchObject({ tone: 'stop', en: expect.stringContaining('Too many') })
  await scan('UNDO')
  await scan('4711111111111')
  expect((await scan('DONE')).next.en).toContain('CAP × 1 (A-2)')
  await scan('DAMAGED')
  await scan('4711111111111')
  await scan('W:640')
  const first = (await scan('DONE')).closed ?? ''
  const label = await labelled(first)
  expect((await file(label ?? '')).status).toBe(200)
  expect((await file(`/api/v1/units/${first}/delivery-note.pdf`)).type).toBe('application/pdf')
  expect((await world.stock('CAP', 'wh-hand')).onHand).toBe(9)

  // What was broken comes in the next wave, in a box of its own.
  const again = await waveWithUnits(1)
  await scan(again.id)
  await scan('4711111111111')
  const second = (await scan('DONE')).closed ?? ''
  expect(second).not.toBe(first)
  await labelled(second)

  const manifest = await world.post<{ id: string; parcels: number }>('/api/v1/manifests', {
    location: 'wh-hand',
    courier: 'ecpay',
  })
  expect(manifest).toMatchObject({ status: 201, body: { parcels: 2 } })
  expect((await world.post('/api/v1/manifests', { location: 'wh-hand', courier: 'ecpay' })).status).toBe(409)
  expect((await file(`/api/v1/manifests/${manifest.body.id}/paper`)).type).toBe('application/pdf')
  const given = await world.post(`/api/v1/manifests/${manifest.body.id}/handed-over`, {
    proof: { kind: 'signature', reference: 'sheet 7' },
  })
  expect(given).toMatchObject({ status: 200, body: { proofs: [{ kind: 'signature', reference: 'sheet 7' }] } })
  await world.untilPhase(id, 'shipped')
  // Printed again after it left: nothing is booked anew.
  expect((await file(label ?? '')).status).toBe(200)

  const { body: order } = await world.get<OrderBody>(`/api/v1/orders/${id}`)
  expect(order.parcels).toHaveLength(2)
  expect(world.ecpay.parcels()).toHaveLength(2)
  for (const { reference } of order.parcels) await world.ecpay.advance(reference, { to: 'delivered' })
  await world.untilPhase(id, 'delivered')
  await world.until('the order is closed', async () => (await world.get<OrderBody>(`/api/v1/orders/${id}`)).body.closed)
  expect(await world.stock('CAP', 'wh-hand')).toMatchObject({ onHand: 7, held: 0 })
  expect(await world.stock('MUG', 'wh-hand')).toMatchObject({ onHand: 9, held: 0 })
  expect(await world.audit()).toMatchObject({ ok: true, violations: [] })
})
