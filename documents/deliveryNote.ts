/** The paper in the box: what is in it, for whom; no prices unless asked for. */
import { money } from './shippingLabel.ts'
import { sheet } from './table.ts'

export interface DeliveryNote {
  orderNumber: string
  channel: string
  recipient: string
  lines: { sku: string; name: string | null; variant: string | null; quantity: number; unitPriceMinor: number | null }[]
  currency: string
  showPrices: boolean
  /** Lines of the order that come in another parcel, or not at all. */
  remark: string | null
  gift: boolean
}
type Line = DeliveryNote['lines'][number]

export const deliveryNotes = (notes: readonly DeliveryNote[], now: Date): Promise<Buffer> =>
  sheet<Line>(
    ...notes.map((note) => ({
      title: note.gift ? '禮品卡' : '出貨明細',
      facts: [`訂單 ${note.orderNumber}　${note.channel}`, `收件人 ${note.recipient}`, ...(note.remark ? [note.remark] : [])],
      code: /^[\x20-\x7e]+$/.test(note.orderNumber) ? note.orderNumber : null,
      columns: [
        { head: '貨號', widthMm: 45, of: (line: Line) => line.sku, style: { lines: 2 } },
        {
          head: '品名',
          widthMm: 91,
          of: (line: Line) => [line.name, line.variant].filter(Boolean).join('　'),
          style: { lines: 2 },
        },
        { head: '件數', widthMm: 18, of: (line: Line) => String(line.quantity), style: { size: 11, align: 'right' as const } },
        {
          head: note.showPrices && !note.gift ? '單價' : '',
          widthMm: 32,
          of: (line: Line) =>
            note.showPrices && !note.gift && line.unitPriceMinor !== null ? money(line.unitPriceMinor, note.currency) : '',
          style: { align: 'right' as const },
        },
      ],
      rows: note.lines,
      now,
    })),
  )
