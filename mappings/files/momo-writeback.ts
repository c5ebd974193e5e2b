/**
 * Tracking numbers back into momo's own workbook, for re-upload. The .xls is patched record by record: every byte of other cells,
 * sheets and formats stays as momo wrote it (columns by ../shared/facts/excel-columns.json, `writeback`).
 */
import { normaliseText } from '../normalise/index.ts'
import { cellText, readHeader, missingColumns } from '../profiles/columns.ts'
import { momo } from '../profiles/momo.ts'
import type { Field, Profile } from '../profiles/types.ts'
import { readGlobals } from './biff.ts'
import { patchSheet } from './biff-patch.ts'
import type { CellEdits } from './biff-patch.ts'
import { isCompound, openCompound } from './cfb.ts'
import { isEncrypted } from './encrypted.ts'
import { orDamaged, unreadable } from './errors.ts'
import { DEFAULT_LIMITS } from './types.ts'
import { openXls } from './xls.ts'

export interface MomoUpdate {
  /** 訂單編號. */
  externalId: string
  /** 商品原廠編號; without it every row of the order is meant. */
  sku?: string
  waybill: string
  /** 物流公司, as momo's own list (sheet Desc) names it. */
  carrier: string
  /** @default '已配送' */
  status?: '已配送' | '已確認指定配送日'
  /** 配送訊息. */
  message?: string
}

/** The columns to be filled, beside those that find the row. */
const WRITE: Profile = {
  ...momo,
  columns: {
    orderNumber: momo.columns.orderNumber ?? [],
    sku: momo.columns.sku ?? [],
    status: momo.columns.status ?? [],
    notes: ['配送訊息'],
    delivery: ['物流公司(說明參考Desc)', '物流公司'],
    parcelQuery: ['配送單號'],
  },
  required: [['orderNumber'], ['sku'], ['status'], ['delivery'], ['parcelQuery']],
}

/**
 * Doing the same again changes no byte. An order in several parcels lists its waybills in one cell.
 * @throws OmnisagaError Invalid when it is no unencrypted .xls, lacks the columns, or does not hold one of the orders (`notInWorkbook`).
 */
export async function writeBackMomo(bytes: Buffer, updates: MomoUpdate[]): Promise<Buffer> {
  if (!isCompound(bytes))
    throw unreadable(
      'wrongType',
      'This is not an old Excel workbook (.xls).',
      "Use the file as momo's SCM exported it, not a copy saved as another type.",
    )
  const compound = await openCompound(bytes)
  const stream = compound.stream('/Workbook')
  if (!stream)
    throw unreadable('wrongType', 'This is not an old Excel workbook (.xls).', "Use the file as momo's SCM exported it.")
  if (await orDamaged('its encryption', () => isEncrypted(bytes)))
    throw unreadable('passwordNeeded', 'The workbook is encrypted.', 'Take its password off in Excel and try again.')
  const { sheetName, edits } = await planEdits(bytes, updates)
  if (edits.size === 0) return bytes
  const globals = readGlobals(stream)
  const sheet = globals.sheets.find((candidate) => candidate.name === sheetName && candidate.worksheet && !candidate.hidden)
  if (!sheet) throw new Error(`sheet ${sheetName} vanished`)
  return compound.replace('/Workbook', patchSheet(stream, globals, sheet, edits))
}

async function planEdits(bytes: Buffer, updates: MomoUpdate[]): Promise<{ sheetName: string; edits: CellEdits }> {
  const workbook = await openXls(bytes, DEFAULT_LIMITS)
  for (const sheet of workbook.sheets) {
    const edits: CellEdits = new Map()
    const found = new Set<MomoUpdate>()
    let columns: Map<Field, number> | null = null
    for await (const row of sheet.rows()) {
      if (columns === null) {
        const header = readHeader(WRITE, row)
        if (missingColumns(WRITE, header).length === 0) columns = header.columnOfField
        continue
      }
      const of = (field: Field) => columns?.get(field) ?? -1
      const text = (field: Field) =>
        normaliseText(cellText(row.cells[of(field)] ?? (field === 'sku' ? null : row.merged?.get(of(field)))))
      const mine = updates.filter(
        (update) =>
          normaliseText(update.externalId) === text('orderNumber') &&
          (update.sku === undefined || normaliseText(update.sku) === text('sku')),
      )
      if (mine.length === 0) continue
      for (const update of mine) found.add(update)
      const values: [Field, string | undefined][] = [
        ['status', mine.at(-1)?.status ?? '已配送'],
        ['delivery', distinct(mine.map((update) => update.carrier))],
        ['parcelQuery', distinct(mine.map((update) => update.waybill))],
        ['notes', mine.findLast((update) => update.message !== undefined)?.message],
      ]
      for (const [field, value] of values) {
        if (value === undefined || of(field) < 0 || cellText(row.cells[of(field)]) === value) continue
        edits.set(`${row.row - 1},${of(field)}`, { row: row.row - 1, column: of(field), text: value })
      }
    }
    if (columns === null) continue
    const lost = updates.filter((update) => !found.has(update)).map((update) => update.externalId)
    if (lost.length > 0) {
      throw unreadable(
        'notInWorkbook',
        `The workbook does not hold these orders: ${[...new Set(lost)].join(', ')}.`,
        'Use the workbook they were imported from.',
      )
    }
    return { sheetName: sheet.name, edits }
  }
  throw unreadable(
    'missingColumns',
    "No sheet has momo's columns for shipping: 訂單編號, 商品原廠編號, 配送狀態, 物流公司, 配送單號.",
    "Use the file as momo's SCM exported it.",
  )
}

const distinct = (texts: string[]) => [...new Set(texts)].join(',')
