/** 訂單狀態 of Shopee Taiwan's export. A status not known here keeps the order on hold and is shown; it is never guessed. */
export interface ShopeeStatus {
  cancelled: boolean
  onHold: boolean
  fulfilled: boolean
  unpaid: boolean
  note: string | null
}

const CANCELLING = /取消中|申請取消|等待取消|待取消/
const CANCELLED = /不成立|取消/
const UNPAID = /尚未付款|待付款|未付款/
const LEFT = /已出貨|運送中|待收貨|已送達|已完成|^完成|退貨|退款/
const TO_SHIP = /待出貨|備貨|處理中|待揀貨|已付款|待寄出/

export function readStatus(text: string): ShopeeStatus {
  const status: ShopeeStatus = { cancelled: false, onHold: false, fulfilled: false, unpaid: false, note: null }
  if (CANCELLING.test(text)) return { ...status, onHold: true }
  if (CANCELLED.test(text)) return { ...status, cancelled: true }
  if (UNPAID.test(text)) return { ...status, onHold: true, unpaid: true }
  if (TO_SHIP.test(text) || text === '') return status
  if (LEFT.test(text)) return { ...status, fulfilled: true }
  return { ...status, onHold: true, note: `訂單狀態 ${text}` }
}
