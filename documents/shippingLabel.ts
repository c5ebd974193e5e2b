/** Our own label for a box, 100 x 150 mm: for couriers that print none, and for transfers between our locations. */
import { Canvas } from './canvas.ts'

export interface ShippingLabel {
  courier: string
  service: string
  waybill: string
  /** What a scan of the QR gives: the parcel's reference. */
  reference: string
  orderNumber: string
  sender: { name: string; phone: string; address: string }
  recipient: { name: string; phone: string; postalCode: string | null; address: string }
  /** The convenience store or location where it is picked up. */
  pickup: string | null
  amountDueMinor: number
  currency: string
  temperature: 'ambient' | 'chilled' | 'frozen'
  fragile: boolean
  askedTime: string | null
  notes: string | null
  /** e.g. `1/2` of the order's parcels. */
  parcelOf: string | null
}

const WIDTH = 100
const HEIGHT = 150
const EDGE = 4
const INNER = WIDTH - 2 * EDGE
const COLD: Record<ShippingLabel['temperature'], string | null> = { ambient: null, chilled: '冷藏', frozen: '冷凍' }

/** NT$ 1,290: whole dollars when there are no cents. */
export const money = (minor: number, currency: string): string =>
  `${currency === 'TWD' ? 'NT$' : currency} ${(minor / 100).toLocaleString('en-US', { maximumFractionDigits: 2 })}`

function draw(canvas: Canvas, label: ShippingLabel): void {
  canvas.addPage()
  canvas.text(label.courier, EDGE, 4, 60, { size: 15, bold: true })
  canvas.text(label.service, EDGE, 11, 60, { size: 10 })
  canvas.text(label.parcelOf ?? '', 76, 4, 20, { size: 12, bold: true, align: 'right' })
  canvas.line(EDGE, 17, WIDTH - EDGE, 17)

  canvas.code128(label.waybill, EDGE, 20, INNER, 20)
  canvas.text(label.waybill, EDGE, 41, INNER, { size: 13, bold: true, align: 'center' })
  canvas.line(EDGE, 48, WIDTH - EDGE, 48)

  canvas.text('收件人', EDGE, 50, 20, { size: 8 })
  canvas.text(`${label.recipient.name}  ${label.recipient.phone}`, EDGE, 54, INNER, { size: 14, bold: true })
  canvas.text([label.recipient.postalCode, label.recipient.address].filter(Boolean).join(' '), EDGE, 62, INNER, {
    size: 12,
    lines: 3,
  })
  if (label.pickup) canvas.text(`取貨：${label.pickup}`, EDGE, 79, INNER, { size: 12, bold: true })
  canvas.line(EDGE, 87, WIDTH - EDGE, 87)

  const cold = COLD[label.temperature]
  const due = label.amountDueMinor > 0 ? `代收貨款 ${money(label.amountDueMinor, label.currency)}` : '已付款　不收款'
  canvas.text(due, EDGE, 89, 62, { size: 15, bold: true })
  canvas.text([cold, label.fragile ? '易碎' : null].filter(Boolean).join('　'), 66, 89, 30, {
    size: 15,
    bold: true,
    align: 'right',
  })
  if (label.askedTime) canvas.text(`指定時段：${label.askedTime}`, EDGE, 97, INNER, { size: 10 })
  if (label.notes) canvas.text(`備註：${label.notes}`, EDGE, 102, INNER, { size: 9, lines: 2 })
  canvas.line(EDGE, 112, WIDTH - EDGE, 112)

  canvas.qr(label.reference, EDGE, 114, 30)
  canvas.text('寄件人', 37, 115, 20, { size: 8 })
  canvas.text(`${label.sender.name}  ${label.sender.phone}`, 37, 119, 59, { size: 10 })
  canvas.text(label.sender.address, 37, 124, 59, { size: 9, lines: 2 })
  canvas.text(`訂單 ${label.orderNumber}`, 37, 134, 59, { size: 10, bold: true })
  canvas.text(label.reference, 37, 139, 59, { size: 8 })
}

/** One page a label, in the order given. */
export async function shippingLabels(labels: readonly ShippingLabel[], now: Date): Promise<Buffer> {
  const canvas = new Canvas({ widthMm: WIDTH, heightMm: HEIGHT }, { title: 'Shipping labels', now })
  for (const label of labels) draw(canvas, label)
  return await canvas.finish()
}
