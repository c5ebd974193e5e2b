/** Small papers: the label of one piece, and the voucher a customer shows to be handed an order. */
import { Canvas } from './canvas.ts'
import { money } from './shippingLabel.ts'

export interface ItemLabel {
  sku: string
  barcode: string | null
  name: string | null
  /** What the product asks to be printed, e.g. importer and origin. */
  text: string | null
}

/** 50 x 30 mm, one page a piece. */
export async function itemLabels(labels: readonly ItemLabel[], now: Date): Promise<Buffer> {
  const canvas = new Canvas({ widthMm: 50, heightMm: 30 }, { title: 'Item labels', now })
  for (const label of labels) {
    canvas.addPage()
    canvas.text(label.name ?? label.sku, 2, 1.5, 46, { size: 8, bold: true, lines: 2 })
    canvas.code128(label.barcode ?? label.sku, 2, 10, 46, 8)
    canvas.text(label.barcode ?? label.sku, 2, 18.5, 46, { size: 7, align: 'center' })
    canvas.text(label.text ?? '', 2, 22, 46, { size: 6, lines: 2 })
  }
  return await canvas.finish()
}

export interface PickupVoucher {
  /** What the QR holds; the store scans it. */
  code: string
  orderNumber: string
  store: string
  /** Local date, for people. */
  until: string | null
  pieces: number
  amountDueMinor: number
  currency: string
}

/** A6, one page a voucher. */
export async function pickupVouchers(vouchers: readonly PickupVoucher[], now: Date): Promise<Buffer> {
  const canvas = new Canvas({ widthMm: 105, heightMm: 148 }, { title: 'Pickup vouchers', now })
  for (const voucher of vouchers) {
    canvas.addPage()
    canvas.text('取貨憑證', 8, 8, 89, { size: 18, bold: true, align: 'center' })
    canvas.text(voucher.store, 8, 19, 89, { size: 13, align: 'center' })
    canvas.qr(voucher.code, 25, 28, 55)
    canvas.text(voucher.code, 8, 84, 89, { size: 12, bold: true, align: 'center' })
    canvas.text(`訂單 ${voucher.orderNumber}`, 8, 94, 89, { size: 11, align: 'center' })
    canvas.text(`${voucher.pieces} 件`, 8, 101, 89, { size: 11, align: 'center' })
    const due = voucher.amountDueMinor > 0 ? `取貨付款 ${money(voucher.amountDueMinor, voucher.currency)}` : '已付款'
    canvas.text(due, 8, 109, 89, { size: 13, bold: true, align: 'center' })
    if (voucher.until) canvas.text(`請於 ${voucher.until} 前取貨`, 8, 120, 89, { size: 11, align: 'center' })
  }
  return await canvas.finish()
}
