/** What a connector can do, in the words people use; derived from what it defines, so that the two cannot differ. */
import type { Connector } from './types.ts'

/** Every capability there is, in the order of the tables, and how it shows. */
const CAPABILITIES = {
  takeOrders: { title: 'orders mapped', of: (c) => c.mapOrder !== undefined },
  pullOrders: { title: 'pull orders', of: (c) => c.pullOrders !== undefined },
  receiveWebhooks: { title: 'receive webhooks', of: (c) => c.receiveWebhook !== undefined },
  acknowledge: { title: 'acknowledge', of: (c) => c.acknowledgeOrder !== undefined },
  writeTracking: { title: 'write tracking back', of: (c) => c.writeTracking !== undefined },
  writeDelivered: { title: 'write delivery back', of: (c) => c.writeDelivered !== undefined },
  cancel: { title: 'cancel orders', of: (c) => c.cancelOrder !== undefined },
  refund: { title: 'refund', of: (c) => c.refund !== undefined },
  readReturns: { title: 'read returns', of: (c) => c.mapReturn !== undefined },
  pushStock: { title: 'push stock', of: (c) => c.stock?.push !== undefined },
  readStock: { title: 'read stock', of: (c) => c.stock?.read !== undefined },
  readSales: { title: 'read sales', of: (c) => c.mapSale !== undefined },
  book: { title: 'book parcels', of: (c) => c.courier !== undefined },
  label: { title: 'label', of: (c) => c.courier?.labels !== undefined },
  track: { title: 'track', of: (c) => c.courier !== undefined || c.tracker !== undefined },
  pickupPoints: {
    title: 'pick-up points',
    of: (c) => c.courier?.pickupPoints !== undefined || c.courier?.pickupMap !== undefined,
  },
  bookReturn: { title: 'book returns', of: (c) => c.courier?.bookReturn !== undefined },
  manifest: { title: 'hand-over manifest', of: (c) => c.courier?.manifest !== undefined },
  requestPickup: { title: 'ask for a pickup', of: (c) => c.courier?.requestPickup !== undefined },
  remittance: { title: 'remittance', of: (c) => c.courier?.remittances !== undefined },
  sendToWarehouse: { title: 'send to a warehouse', of: (c) => c.warehouse !== undefined },
  readWarehouse: { title: "read a warehouse's answers", of: (c) => c.warehouse !== undefined },
  writeErp: { title: 'write ERP documents', of: (c) => c.erp !== undefined },
  readErp: { title: 'read ERP documents', of: (c) => c.erp?.readProducts !== undefined },
  notify: { title: 'notify', of: (c) => c.notify !== undefined },
} as const satisfies Record<string, { title: string; of(connector: Connector): boolean }>

export type Capability = keyof typeof CAPABILITIES
export const capabilityNames = Object.keys(CAPABILITIES) as Capability[]
export const titleOf = (capability: Capability): string => CAPABILITIES[capability].title

export const capabilitiesOf = (connector: Connector): Capability[] =>
  capabilityNames.filter((name) => CAPABILITIES[name].of(connector))
