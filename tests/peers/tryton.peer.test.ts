/** The connector against a running Tryton. Documents are counted by asking Tryton itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tryton } from '../../connectors/tryton/index.ts'
import type { ErpReturn, ErpSale, ErpShipment, ExternalLevel } from '../../connectors/kit/types.ts'
import { contextOf } from './contextOf.ts'
import { startLossyProxy, type LossyProxy } from './lossyProxy.ts'
import type { RunningPeer } from './peer.ts'
import { peer } from './tryton.ts'

let running: RunningPeer
let proxy: LossyProxy
const erp = tryton.erp!

beforeAll(async () => {
  running = await peer.start(() => undefined)
  proxy = await startLossyProxy(running.url)
}, 600_000)
afterAll(async () => {
  await proxy?.stop()
  await running?.stop()
})

const context = (config: Record<string, unknown> = {}) =>
  contextOf(tryton, { ...running.connection.config, baseUrl: proxy.url, ...config })

/** What Tryton itself says, past the connector. */
async function ask(model: string, domain: unknown[], fields: string[]): Promise<Record<string, unknown>[]> {
  const { database, applicationKey } = running.connection.config as { database: string; applicationKey: string }
  const url = new URL(`${running.url}/${database}/rest/model/${model}`)
  for (const field of fields) url.searchParams.append('f', field)
  const padded = Buffer.from(JSON.stringify(domain)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
  url.searchParams.set('d', padded)
  const answer = await fetch(url, { headers: { authorization: `bearer ${applicationKey}` } })
  if (!answer.ok) throw new Error(`Tryton: HTTP ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Record<string, unknown>[]
}
const salesOf = (reference: string) =>
  ask('sale.sale', [['reference', '=', reference]], ['state', 'number', 'shipment_state', 'total_amount', 'shipments.state'])

const wang = {
  name: '王小明',
  phone: '+886912345678',
  email: 'wang@example.com',
  address: { postalCode: '110', city: '臺北市', district: '信義區', line: '信義路五段7號', country: 'TW' },
}
const sale = (reference: string, more: Partial<ErpSale> = {}): ErpSale => ({
  reference,
  channel: 'vendure',
  externalId: `V${reference}`,
  placedAt: new Date().toISOString(),
  currency: 'TWD',
  buyer: wang,
  recipient: { ...wang, name: '李小華' },
  lines: [
    { lineId: '1', sku: 'SHIRT-S', name: 'Linen shirt S', quantity: 2, unitPriceMinor: 59_000 },
    { lineId: '2', sku: 'MUG-01', name: 'Mug', quantity: 1, unitPriceMinor: 25_000 },
  ],
  shippingMinor: 6_000,
  discountMinor: 10_000,
  totalMinor: 139_000,
  ...more,
})
const shipment = (saleReference: string, more: Partial<ErpShipment> = {}): ErpShipment => ({
  reference: `${saleReference}-1`,
  saleReference,
  location: 'main',
  waybill: `W${saleReference}`,
  courier: 'TCAT',
  shippedAt: new Date().toISOString(),
  lines: sale(saleReference).lines,
  ...more,
})
const stockOf = async (location: string): Promise<Record<string, number>> => {
  const levels: ExternalLevel[] = []
  for await (const page of tryton.stock!.read!(context())) levels.push(...page)
  return Object.fromEntries(levels.filter((each) => each.location === location).map((each) => [each.externalSku, each.onHand]))
}

describe('Tryton, live', () => {
  it('checks good and bad configurations', async () => {
    expect(await tryton.check(context())).toEqual({ ok: true, problems: [] })
    for (const [config, says] of [
      [{ applicationKey: 'wrong' }, /user application key/],
      [{ database: 'elsewhere' }, /no such database/],
      [{ companyId: 77 }, /no company 77.*1 \(Peer Company\)/s],
      [{ warehouses: { main: 'NOWHERE' } }, /no warehouse with the code NOWHERE/],
      [{ shippingProduct: 'NOTHING' }, /no product with the code NOTHING/],
      [{ customers: { '*': 'NOBODY' } }, /no party with the code NOBODY/],
    ] as const) {
      const { ok, problems } = await tryton.check(context(config))
      expect(ok).toBe(false)
      expect(problems.map(({ message, remedy }) => `${message} ${remedy}`).join('\n')).toMatch(says)
    }
  })

  it('writes a sale with its party, address, prices, shipping and discount, and processes it', async () => {
    const document = await erp.writeSale(context(), sale('A1'))
    const [written] = await ask(
      'sale.sale',
      [['reference', '=', 'A1']],
      [
        'state',
        'number',
        'description',
        'sale_date',
        'total_amount',
        'party.name',
        'shipment_address.party_name',
        'shipment_address.street',
        'shipment_address.postal_code',
        'shipment_address.country.code',
        'shipments.state',
      ],
    )
    expect(document).toEqual({ id: String(written?.id), number: written?.number })
    expect(written).toMatchObject({
      state: 'processing',
      description: 'vendure VA1',
      total_amount: { decimal: '1390' },
      party: { name: '王小明' },
      shipment_address: { party_name: '李小華', street: '信義區信義路五段7號', postal_code: '110', country: { code: 'TW' } },
      shipments: [{ state: 'waiting' }],
    })
  })

  it('writes a sale that was written already no second time, and finds its buyer and address again', async () => {
    const first = await erp.writeSale(context(), sale('A2'))
    expect(await erp.writeSale(context(), sale('A2'))).toEqual(first)
    expect(await salesOf('A2')).toHaveLength(1)
    expect(await ask('party.party', [['contact_mechanisms.value', '=', wang.phone]], ['name'])).toHaveLength(1)
    expect(await ask('party.address', [['party_name', '=', '李小華']], ['street'])).toHaveLength(1)
  })

  it.each([
    ['POST', '/sale.sale', 'the sale'],
    ['POST', '/quote', 'the quotation'],
    ['POST', '/confirm', 'the confirmation'],
    ['POST', '/party.party', 'the party'],
  ])('leaves one sale when the answer to %s %s is lost', async (method, path, what) => {
    const reference = `LOST-${what.split(' ')[1]}`
    const buyer = { ...wang, phone: `+8869${reference.length}0000001`, email: null }
    const written = sale(reference, { buyer, recipient: buyer })
    proxy.loseNext(method, path)
    const before = proxy.lost()
    await expect(erp.writeSale(context(), written)).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    expect(proxy.lost()).toBe(before + 1)
    await erp.writeSale(context(), written)
    expect(await salesOf(reference)).toMatchObject([{ state: 'processing' }])
    expect(await ask('party.party', [['contact_mechanisms.value', '=', buyer.phone]], ['name'])).toHaveLength(1)
  })

  it('cancels a second draft of one reference, which Tryton lets anybody make', async () => {
    const { id } = await erp.writeSale(context(), sale('A3'))
    const [{ party, company, currency } = {}] = await ask(
      'sale.sale',
      [['id', '=', Number(id)]],
      ['party', 'company', 'currency'],
    )
    const { database, applicationKey } = running.connection.config as { database: string; applicationKey: string }
    await fetch(`${running.url}/${database}/rest/model/sale.sale`, {
      method: 'POST',
      headers: { authorization: `bearer ${applicationKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reference: 'A3', party, company, currency }),
    })
    expect(await salesOf('A3')).toHaveLength(2)
    expect(await erp.writeSale(context(), sale('A3'))).toMatchObject({ id })
    expect((await salesOf('A3')).map(({ state }) => state).toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      'cancelled',
      'processing',
    ])
  })

  it('books a masked buyer once, and a channel on its collective customer', async () => {
    const nobody = { name: null, phone: null, email: null, address: null }
    await erp.writeSale(context(), sale('MASKED', { buyer: nobody, recipient: nobody }))
    await erp.writeSale(context(), sale('MASKED', { buyer: nobody, recipient: nobody }))
    expect(await ask('party.party', [['code', '=', 'MASKED']], ['name'])).toHaveLength(1)
    await erp.writeSale(context({ customers: { vendure: 'SHOP' } }), sale('COLLECTIVE'))
    expect(await ask('sale.sale', [['reference', '=', 'COLLECTIVE']], ['party.code'])).toMatchObject([
      { party: { code: 'SHOP' } },
    ])
  })

  it('says which product is missing, and Tryton is left without a sale', async () => {
    const lines = [{ lineId: '1', sku: 'NO-SUCH', name: null, quantity: 1, unitPriceMinor: 100 }]
    const error = await erp.writeSale(context(), sale('A4', { lines })).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'Invalid', code: 'unknown-product' })
    expect(String(error)).toContain('NO-SUCH')
    expect(await salesOf('A4')).toEqual([])
  })

  it("takes Tryton's own refusal without the names that it quotes", async () => {
    const lines = [{ lineId: '1', sku: 'SHIRT-S', name: null, quantity: 1.5, unitPriceMinor: 100 }]
    const error = await erp.writeSale(context(), sale('A5', { lines })).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'Rejected', code: 'user-error' })
    expect(String(error)).toMatch(/number of digits/)
    expect(String(error)).not.toContain('Linen')
  })

  it('ships: stock goes down by what left, the shipment shows unit and waybill, and doing it again changes nothing', async () => {
    await erp.writeSale(context(), sale('S1'))
    const before = await stockOf('main')
    const document = await erp.writeShipment(context(), shipment('S1'))
    expect(await erp.writeShipment(context(), shipment('S1'))).toEqual(document)
    expect(await stockOf('main')).toEqual({
      ...before,
      'SHIRT-S': (before['SHIRT-S'] ?? 0) - 2,
      'MUG-01': (before['MUG-01'] ?? 0) - 1,
    })
    expect(
      await ask('stock.shipment.out', [['reference', '=', 'S1-1']], ['state', 'number', 'shipping_reference']),
    ).toMatchObject([{ state: 'done', number: document.number, shipping_reference: 'WS1' }])
    expect(await salesOf('S1')).toMatchObject([{ shipment_state: 'sent' }])
  })

  it.each([
    ['PUT', '/stock.shipment.out/'],
    ['POST', '/draft'],
    ['POST', '/wait'],
    ['POST', '/pick'],
    ['POST', '/pack'],
    ['POST', '/do'],
  ])('ships once when the answer to %s %s is lost', async (method, path) => {
    const reference = `LOSES-${method}${path.replaceAll(/\W/g, '')}`
    const lines = [{ lineId: '1', sku: 'SHIRT-M', name: null, quantity: 1, unitPriceMinor: 59_000 }]
    await erp.writeSale(context(), sale(reference, { lines }))
    const before = await stockOf('main')
    const unit = shipment(reference, { lines })
    proxy.loseNext(method, path)
    await expect(erp.writeShipment(context(), unit)).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    await erp.writeShipment(context(), unit)
    expect((await stockOf('main'))['SHIRT-M']).toBe((before['SHIRT-M'] ?? 0) - 1)
    expect((await salesOf(reference))[0]?.shipments).toMatchObject([{ state: 'done' }])
  })

  it('ships two units of one sale from two warehouses', async () => {
    await erp.writeSale(context(), sale('S2'))
    const before = { main: await stockOf('main'), second: await stockOf('second') }
    const [shirts, mug] = sale('S2').lines
    await erp.writeShipment(context(), shipment('S2', { reference: 'S2-2', location: 'second', lines: [mug!], waybill: 'WX2' }))
    expect(await salesOf('S2')).toMatchObject([{ shipment_state: 'partially shipped' }])
    await erp.writeShipment(context(), shipment('S2', { lines: [shirts!] }))
    expect(await salesOf('S2')).toMatchObject([{ shipment_state: 'sent' }])
    expect((await stockOf('second'))['MUG-01']).toBe((before.second['MUG-01'] ?? 0) - 1)
    expect((await stockOf('main'))['SHIRT-S']).toBe((before.main['SHIRT-S'] ?? 0) - 2)
    expect((await stockOf('main'))['MUG-01']).toBe(before.main['MUG-01'])
  })

  it('takes goods that Tryton does not count, unless it is told to ask', async () => {
    const lines = [{ lineId: '1', sku: 'MUG-01', name: null, quantity: 500, unitPriceMinor: 25_000 }]
    await erp.writeSale(context(), sale('S3', { lines }))
    await expect(erp.writeShipment(context({ forceAssignment: false }), shipment('S3', { lines }))).rejects.toMatchObject({
      kind: 'Rejected',
      code: 'no-stock',
    })
    const before = await stockOf('main')
    await erp.writeShipment(context(), shipment('S3', { lines }))
    expect((await stockOf('main'))['MUG-01']).toBe((before['MUG-01'] ?? 0) - 500)
  })

  it('hands a UserWarning to a person when it shall not answer them', async () => {
    await erp.writeSale(context(), sale('S4'))
    const error = await erp.writeShipment(context({ skipWarnings: false }), shipment('S4')).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'Rejected', code: 'user-error' })
    expect(String(error)).toContain('does not have a carrier set')
    await erp.writeShipment(context(), shipment('S4'))
  })

  it('refuses more than the sale holds, and a shipment without a sale waits', async () => {
    await erp.writeSale(context(), sale('S5'))
    const lines = [{ lineId: '1', sku: 'MUG-01', name: null, quantity: 9, unitPriceMinor: 25_000 }]
    await expect(erp.writeShipment(context(), shipment('S5', { lines }))).rejects.toMatchObject({ code: 'nothing-to-ship' })
    await expect(erp.writeShipment(context(), shipment('NO-SALE'))).rejects.toMatchObject({ kind: 'Transient', code: 'no-sale' })
    await expect(erp.writeShipment(context(), shipment('S5', { location: 'elsewhere' }))).rejects.toMatchObject({
      kind: 'Misconfigured',
      code: 'unmapped-location',
    })
  })

  it('cancels a sale in progress, twice without harm, and none that has left', async () => {
    await erp.writeSale(context(), sale('C1'))
    const before = await stockOf('main')
    await erp.cancelSale(context(), { reference: 'C1', reason: 'buyer' })
    await erp.cancelSale(context(), { reference: 'C1', reason: 'buyer' })
    expect(await salesOf('C1')).toMatchObject([{ shipment_state: 'none', shipments: [{ state: 'cancelled' }] }])
    expect(await stockOf('main')).toEqual(before)
    await erp.cancelSale(context(), { reference: 'NEVER-WRITTEN', reason: 'buyer' })
    await erp.writeSale(context(), sale('C2'))
    await erp.writeShipment(context(), shipment('C2'))
    await expect(erp.cancelSale(context(), { reference: 'C2', reason: 'buyer' })).rejects.toMatchObject({ code: 'shipped' })
  })

  it('cancels once when an answer on the way is lost', async () => {
    await erp.writeSale(context(), sale('C3'))
    proxy.loseNext('POST', '/cancel')
    await expect(erp.cancelSale(context(), { reference: 'C3', reason: 'buyer' })).rejects.toMatchObject({
      kind: 'OutcomeUnknown',
    })
    await erp.cancelSale(context(), { reference: 'C3', reason: 'buyer' })
    expect(await salesOf('C3')).toMatchObject([{ shipment_state: 'none' }])
  })

  it('takes goods back once', async () => {
    await erp.writeSale(context(), sale('R1'))
    await erp.writeShipment(context(), shipment('R1'))
    const before = await stockOf('main')
    const goods: ErpReturn = {
      reference: 'R1-1-r',
      saleReference: 'R1',
      location: 'main',
      at: new Date().toISOString(),
      lines: sale('R1').lines.slice(0, 1),
    }
    proxy.loseNext('POST', '/stock.shipment.out.return')
    await expect(erp.writeReturn!(context(), goods)).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
    const document = await erp.writeReturn!(context(), goods)
    expect(await erp.writeReturn!(context(), goods)).toEqual(document)
    expect((await stockOf('main'))['SHIRT-S']).toBe((before['SHIRT-S'] ?? 0) + 2)
  })

  it('reads products and levels page by page', async () => {
    const products = []
    for await (const page of erp.readProducts!(context({ pageSize: 1 }))) products.push(...page)
    expect(products).toEqual([
      { sku: 'SHIRT-S', name: 'Linen shirt S', barcode: '4006381333931', weightGrams: 180 },
      { sku: 'SHIRT-M', name: 'Linen shirt M', barcode: null, weightGrams: 200 },
      { sku: 'MUG-01', name: 'Mug', barcode: null, weightGrams: null },
    ])
    const pages: ExternalLevel[][] = []
    for await (const page of tryton.stock!.read!(context({ pageSize: 2, warehouses: { main: 'WH' } }))) pages.push(page)
    expect(pages).toHaveLength(4)
    expect(new Set(pages.flat().map(({ location, externalLocation }) => `${location} ${externalLocation}`))).toEqual(
      new Set(['main WH', 'null WH2']),
    )
  })
})
