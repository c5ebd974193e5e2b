import { APPLICATION_KEY, DATABASE, startTrytonSimulator } from '../../../simulators/tryton/index.ts'
import type { Connector, ConnectorContext, ErpReturn, ErpSale, ErpShipment } from '../../../connectors/kit/types.ts'
import { RECIPIENT } from '../samples.ts'
import type { Subject } from '../subject.ts'

const who = {
  name: RECIPIENT.name,
  phone: RECIPIENT.phone,
  email: 'lin@example.com',
  address: { postalCode: '220', city: '新北市', district: '板橋區', line: RECIPIENT.address, country: 'TW' },
}
const lines = [{ lineId: '1', sku: 'SHIRT-S', name: null, quantity: 2, unitPriceMinor: 59_000 }]
const sale: ErpSale = {
  reference: 'ACCEPT-1',
  channel: 'shopee',
  externalId: '2211220ABC',
  placedAt: '2026-11-22T10:00:00+08:00',
  currency: 'TWD',
  buyer: who,
  recipient: who,
  lines,
  shippingMinor: 6_000,
  discountMinor: 0,
  totalMinor: 124_000,
}
const unit: ErpShipment = {
  reference: 'ACCEPT-1-1',
  saleReference: 'ACCEPT-1',
  location: 'main',
  waybill: '900123456785',
  courier: 'TCAT',
  shippedAt: '2026-11-22T12:00:00+08:00',
  lines,
}
const goods: ErpReturn = {
  reference: 'ACCEPT-1-1-r',
  saleReference: 'ACCEPT-1',
  location: 'main',
  at: '2026-11-25T12:00:00+08:00',
  lines,
}

async function drain(pages: AsyncIterable<unknown[]>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const page of pages) all.push(...page)
  return all
}

export const subject: Subject = {
  name: 'tryton',
  async stage() {
    const sim = await startTrytonSimulator()
    const erp = (connector: Connector) => connector.erp!
    const shipped = async (ctx: ConnectorContext, connector: Connector) => {
      await erp(connector).writeSale(ctx, sale)
      return await erp(connector).writeShipment(ctx, unit)
    }
    return {
      config: {
        baseUrl: sim.url,
        database: DATABASE,
        applicationKey: APPLICATION_KEY,
        companyId: 1,
        shippingProduct: 'SHIPPING',
        discountProduct: 'DISCOUNT',
        warehouses: { main: 'WH' },
      },
      secrets: [APPLICATION_KEY],
      personalData: [who.name, who.phone, who.email, who.address.line],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { applicationKey: 'wrong' }, says: /user application key/ },
        { name: 'a database that is not there', config: { database: 'elsewhere' }, says: /no such database/ },
        { name: 'a company that is not there', config: { companyId: 7 }, says: /companyId to one of: 1/ },
        { name: 'a warehouse that is not there', config: { warehouses: { main: 'NOWHERE' } }, says: /NOWHERE/ },
        { name: 'no warehouse', config: { warehouses: {} }, says: /warehouses/ },
        { name: 'nobody there', config: { baseUrl: 'http://127.0.0.1:9' }, says: /no connection/ },
      ],
      read: {
        run: (ctx, connector) => drain(connector.stock!.read!(ctx)),
        request: { path: '/product.product', method: 'GET' },
      },
      writes: [
        {
          name: 'erp.writeSale',
          run: (ctx, connector) => erp(connector).writeSale(ctx, sale),
          effects: () => sim.sales(sale.reference).length,
          request: { path: '/sale.sale', method: 'POST' },
        },
        {
          name: 'erp.writeShipment',
          run: shipped,
          // The goods left once, whatever was repeated.
          effects: () => (100 - sim.onHand('WH', 'SHIRT-S')) / 2,
          request: { path: '/stock.shipment.out/', method: 'PUT' },
        },
        {
          name: 'erp.writeShipment done',
          run: shipped,
          effects: () => (100 - sim.onHand('WH', 'SHIRT-S')) / 2,
          request: { path: '/do', method: 'POST' },
        },
        {
          name: 'erp.writeReturn',
          run: async (ctx, connector) => {
            await shipped(ctx, connector)
            return await erp(connector).writeReturn!(ctx, goods)
          },
          effects: () => sim.returns(goods.reference).length,
          request: { path: '/stock.shipment.out.return', method: 'POST' },
        },
      ],
      expireToken: { expire: sim.revokeKey, refreshes: false },
      stop: sim.stop,
    }
  },
}
