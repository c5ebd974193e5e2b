/** What subjects give their connectors to do: the same parcel, wave and order everywhere. Anything may be laid over. */
import type { Connector, ConnectorContext, ParcelRequest, RawRecord, Wave } from '../../connectors/kit/types.ts'

export const RECIPIENT = { name: '林怡君', phone: '+886912345678', address: '文化路一段123號4樓' }

export const aParcel = (over: Partial<ParcelRequest> = {}): ParcelRequest => ({
  reference: 'OSACCEPTANCE00000001',
  service: 'home',
  method: 'home',
  cvs: null,
  sender: { name: '測試商店', phone: '+886223456789', postalCode: '100', address: '臺北市中正區重慶南路一段1號' },
  recipient: {
    name: RECIPIENT.name,
    phone: RECIPIENT.phone,
    postalCode: '220',
    city: '新北市',
    district: '板橋區',
    address: RECIPIENT.address,
  },
  goodsName: '服飾',
  goodsAmountMinor: 118_000,
  amountDueMinor: 0,
  weightGrams: 800,
  temperature: 'ambient',
  askedTime: null,
  notes: null,
  channelOrder: null,
  ...over,
})

/** What the saga does: whoever may have sent it before asks first. */
export async function bookOnce(ctx: ConnectorContext, connector: Connector, parcel: ParcelRequest): Promise<unknown> {
  const { courier } = connector
  if (!courier) throw new Error('no courier')
  return (await courier.lookUp(ctx, parcel)) ?? (await courier.book(ctx, parcel))
}

export const aWave = (over: Partial<Wave> = {}): Wave => ({
  id: 'wave-1',
  location: 'taipei',
  createdAt: '2026-11-22T10:00:00+08:00',
  units: [
    {
      unitId: 'unit-1',
      orderId: 'order-1',
      externalId: 'S-1001',
      priority: 0,
      notes: '請勿折疊',
      askedTime: null,
      recipient: {
        name: RECIPIENT.name,
        phone: RECIPIENT.phone,
        postalCode: '220',
        address: `新北市板橋區${RECIPIENT.address}`,
      },
      delivery: { method: 'home', service: null },
      lines: [{ lineId: '1', sku: 'TEE-WHITE-M', name: '純棉短袖上衣 白色 M', quantity: 2 }],
    },
  ],
  ...over,
})

/** An order in our own words that names nothing it need not name. */
export const fileOrder = (externalId: string, over: Record<string, unknown> = {}): RawRecord => ({
  kind: 'order',
  externalId,
  version: '1',
  eventAt: null,
  payload: {
    fromFile: true,
    externalVersion: null,
    placedAt: null,
    kind: 'online',
    buyer: { name: null, phone: null, email: null, memberId: null },
    recipient: { name: null, phone: null, address: null },
    delivery: { method: 'home', service: null, cvs: null, location: null, promisedBy: null },
    payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
    lines: [
      { lineId: '1', sku: 'TEE-S', externalSku: null, name: null, variant: null, quantity: 1, unitPriceMinor: null, gift: false },
    ],
    totals: { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: null },
    notes: null,
    priority: 0,
    ...over,
  },
})
