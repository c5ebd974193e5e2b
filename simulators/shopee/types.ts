/** What the stand-in for Shopee remembers of an order. Times in seconds, as Shopee tells them. */
export interface SimItem {
  itemId: number
  modelId: number
  name: string
  modelName: string
  itemSku: string
  modelSku: string
  quantity: number
  /** In the currency, e.g. 590. */
  price: number
}
export interface SimRecipient {
  name: string
  phone: string
  zipcode: string
  city: string
  district: string
  fullAddress: string
}

export interface SimOrder {
  orderSn: string
  /** READY_TO_SHIP and so on; text, so that one nobody has heard of can be set. */
  status: string
  createTime: number
  updateTime: number
  payTime: number | null
  cod: boolean
  /** What the buyer pays, shipping included. */
  totalAmount: number
  items: SimItem[]
  recipient: SimRecipient
  buyer: { userId: number; username: string }
  /** Shopee's own logistics carry it: the recipient is masked. */
  integrated: boolean
  channelId: number
  carrier: string
  packageNumber: string
  logisticsStatus: string
  trackingNumber: string | null
  messageToSeller: string
  note: string
  cancelReason: string
  /** Laid over the detail as it is, to send what the vendor never should. */
  malformed?: Record<string, unknown>
}

/** What `edit` may change; the update time moves by itself. */
export type SimEdit = Partial<Omit<SimOrder, 'orderSn' | 'createTime' | 'updateTime'>>

export interface ShopeeSimulatorOptions {
  /** 0 or absent: a free one. */
  port?: number
  partnerId: number
  partnerKey: string
  shopId: number
  /** No page is longer than this, whatever page_size asks for. @default 100 */
  pageCap?: number
  /** The pair that the shop's authorisation gave. @default sim-access-0, sim-refresh-0 */
  accessToken?: string
  refreshToken?: string
  /** @default 4 hours */
  accessTokenTtlMs?: number
  /** How many times get_tracking_number answers without a number after shipping. @default 0 */
  trackingDelayCalls?: number
  /** Where pushes go, and what signs them. */
  push?: { callbackUrl: string; partnerKey: string }
  /** Remembers its orders here over restarts. */
  stateFile?: string
  now?: () => Date
}
