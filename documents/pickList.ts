/** What a picker walks along the shelves with: one wave at one location, by shelf path, each row with its orders. */
import { drawing, papers } from './table.ts'

export interface PickRow {
  /** e.g. `A-03-2`; the list is sorted by it, naturally. Null comes last. */
  shelf: string | null
  sku: string
  barcode: string | null
  name: string | null
  quantity: number
  /** Which boxes it goes into, e.g. `#3 x1`. */
  boxes: { box: number; quantity: number }[]
}
export interface PickList {
  waveId: string
  location: string
  /** Local time of the location, for people. */
  madeAt: string
  /** What its boxes have in common: courier, region, … */
  sortedBy: string
  /** Boxes. */
  units: number
  rows: readonly PickRow[]
  /** What a packer scans to begin with a box; a sheet of its own. */
  boxes?: readonly PickBox[]
}
export interface PickBox {
  box: number
  unitId: string
  /** Of a box with several orders, all their numbers. */
  orderNumber: string
  pieces: number
  /** What the order is and where it goes: kind, region. */
  sort: string
  /** Fragile, chilled, urgent. */
  remarks: string
}

/** A-2 comes before A-10. */
export const byShelf = (a: Pick<PickRow, 'shelf' | 'sku'>, b: Pick<PickRow, 'shelf' | 'sku'>): number =>
  Number(a.shelf === null) - Number(b.shelf === null) ||
  (a.shelf ?? '').localeCompare(b.shelf ?? '', 'en', { numeric: true }) ||
  a.sku.localeCompare(b.sku, 'en', { numeric: true })

const boxesOf = (row: PickRow) => row.boxes.map(({ box, quantity }) => `#${box}×${quantity}`).join('  ')

export const pickList = (list: PickList, now: Date): Promise<Buffer> =>
  papers(`揀貨單 ${list.location}`, now, [
    drawing<PickRow>({
      title: `揀貨單 ${list.location}`,
      facts: [
        `波次 ${list.waveId}　${list.madeAt}`,
        ...(list.sortedBy ? [list.sortedBy] : []),
        `${list.units} 箱　${list.rows.length} 項　${list.rows.reduce((sum, row) => sum + row.quantity, 0)} 件`,
      ],
      code: list.waveId,
      columns: [
        { head: '儲位', widthMm: 22, of: (row) => row.shelf ?? '—', style: { size: 11, bold: true } },
        { head: '貨號', widthMm: 34, of: (row) => row.sku, style: { lines: 2 } },
        { head: '品名', widthMm: 52, of: (row) => row.name ?? '', style: { lines: 2 } },
        { head: '件數', widthMm: 12, of: (row) => String(row.quantity), style: { size: 13, bold: true, align: 'right' } },
        { head: '箱', widthMm: 36, of: boxesOf, style: { lines: 2 } },
        { head: '✓', widthMm: 30, of: () => '□' },
      ],
      rows: [...list.rows].sort(byShelf),
      now,
    }),
    ...(list.boxes?.length ? [drawing<PickBox>(boxSheet(list, list.boxes, now))] : []),
  ])

const boxSheet = (list: PickList, rows: readonly PickBox[], now: Date) => ({
  title: `裝箱單 ${list.location}`,
  facts: [`波次 ${list.waveId}　${list.madeAt}`, '掃描箱條碼開始裝箱'],
  code: list.waveId,
  columns: [
    { head: '箱', widthMm: 14, of: (row: PickBox) => `#${row.box}`, style: { size: 12, bold: true } },
    { head: '箱條碼', widthMm: 70, of: (row: PickBox) => row.unitId, barcode: true },
    { head: '訂單', widthMm: 40, of: (row: PickBox) => row.orderNumber, style: { lines: 2 } },
    { head: '件數', widthMm: 14, of: (row: PickBox) => String(row.pieces), style: { size: 12, align: 'right' as const } },
    { head: '類別', widthMm: 22, of: (row: PickBox) => row.sort, style: { lines: 2 } },
    { head: '注意', widthMm: 26, of: (row: PickBox) => row.remarks, style: { lines: 2 } },
  ],
  rows,
  now,
})
