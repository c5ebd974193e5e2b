import { API_KEY, DATABASE, startOdooSimulator } from '../../../simulators/odoo/index.ts'
import type { Connector, ConnectorContext, ErpSale, ErpShipment } from '../../../connectors/kit/types.ts'
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

async function drain(pages: AsyncIterable<unknown[]>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const page of pages) all.push(...page)
  return all
}

export const subject: Subject = {
  name: 'odoo',
  async stage() {
    const sim = await startOdooSimulator()
    const erp = (connector: Connector) => connector.erp!
    const shipped = async (ctx: ConnectorContext, connector: Connector) => {
      await erp(connector).writeSale(ctx, sale)
      return await erp(connector).writeShipment(ctx, unit)
    }
    return {
      config: {
        baseUrl: sim.url,
        database: DATABASE,
        apiKey: API_KEY,
        shippingProduct: 'SHIPPING',
        discountProduct: 'DISCOUNT',
        warehouses: { main: 'WH' },
      },
      secrets: [API_KEY],
      personalData: [who.name, who.phone, who.email, who.address.line],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { apiKey: 'wrong' }, says: /API key/ },
        { name: 'a warehouse that is not there', config: { warehouses: { main: 'NOWHERE' } }, says: /NOWHERE/ },
        { name: 'no warehouse', config: { warehouses: {} }, says: /warehouses/ },
        { name: 'nobody there', config: { baseUrl: 'http://127.0.0.1:9' }, says: /no connection/ },
      ],
      read: {
        run: (ctx, connector) => drain(connector.stock!.read!(ctx)),
        request: { path: '/product.product/search_read' },
      },
      writes: [
        {
          name: 'erp.writeSale',
          run: (ctx, connector) => erp(connector).writeSale(ctx, sale),
          effects: () => sim.sales(sale.reference).length,
          request: { path: '/sale.order/create' },
        },
        {
          name: 'erp.writeShipment',
          run: shipped,
          // The goods left once, whatever was repeated.
          effects: () => (100 - sim.onHand('SHIRT-S')) / 2,
          request: { path: '/stock.picking/write' },
        },
        {
          name: 'erp.writeShipment done',
          run: shipped,
          effects: () => (100 - sim.onHand('SHIRT-S')) / 2,
          request: { path: '/button_validate' },
        },
      ],
      expireToken: { expire: sim.revokeKey, refreshes: false },
      stop: sim.stop,
    }
  },
}
