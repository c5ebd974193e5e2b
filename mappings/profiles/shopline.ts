/**
 * SHOPLINE: the sheet that a merchant in Taiwan works with. Source: ../shared/facts/excel-columns.json `shopline_custom`, one merchant's
 * layout produced from the API, not an export of SHOPLINE's own; what is uncertain is told in docs/profiles/shopline.md.
 */
import { layoutProfile } from './mapping.ts'

export const shopline = layoutProfile({
  name: 'shopline',
  title: "SHOPLINE's order sheet",
  channel: 'shopline',
  columns: {
    orderNumber: ['訂單號碼'],
    status: ['訂單狀態'],
    paymentState: ['付款狀態'],
    placedAt: ['訂單日期', '訂單成立日期'],
    recipientName: ['收件人'],
    address: ['完整地址'],
    phone: ['收件人電話號碼', '收件人電話'],
    sku: ['商品貨號'],
    productName: ['商品名稱'],
    variant: ['選項', '商品選項'],
    quantity: ['數量'],
    unitPrice: ['商品結帳價'],
    paymentMethod: ['付款方式'],
    delivery: ['送貨方式', '配送方式'],
    storeId: ['全家服務編號 / 7-11 店號', '全家服務編號/7-11店號'],
    orderTotal: ['付款總金額', '訂單合計'],
    shippingFee: ['運費'],
    gift: ['贈品'],
    notes: ['訂單備註'],
    notes2: ['出貨備註'],
  },
  otherHeaders: ['發票號碼', '商品折扣優惠', '商品折扣金額', '點數折現分攤', '送貨編號', '加購品類型', '發票開立日期'],
  required: [['orderNumber'], ['sku'], ['quantity'], ['recipientName'], ['phone'], ['address']],
  // One row may carry the fee, the others nothing or zero.
  mayDiffer: ['shippingFee'],
})
