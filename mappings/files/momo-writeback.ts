/**
 * Tracking numbers back into the channel's own file, for re-upload: momo's workbook, and every other .xls or CSV that has the cells. The .xls is patched record by record: every byte of other cells,
 * sheets and formats stays as momo wrote it (columns by ../shared/facts/excel-columns.json, `writeback`).
 */
import { normaliseHeader, normaliseText } from '../normalise/index.ts'
import { cellText, readHeader, missingColumns } from '../profiles/columns.ts'
import { momo } from '../profiles/momo.ts'
import type { Field, Profile } from '../profiles/types.ts'
import { readGlobals } from './biff.ts'
import { patchSheet } from './biff-patch.ts'
import type { CellEdits } from './biff-patch.ts'
import { isCompound, openCompound } from './cfb.ts'
import { openCsv, rewriteCsv } from './csv.ts'
import { isEncrypted } from './encrypted.ts'
import { orDamaged, unreadable } from './errors.ts'
import { DEFAULT_LIMITS } from './types.ts'
import type { FileFormat, Workbook } from './types.ts'
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
function writing(profile: Profile): Profile {
  const { writeBack } = profile
  if (writeBack === undefined)
    throw unreadable('noWriteBack', `Files of ${profile.name} are not sent back.`, 'Enter the tracking numbers at the channel.')
  const columns: Profile['columns'] = {
    orderNumber: profile.columns.orderNumber ?? [],
    sku: profile.columns.sku ?? [],
    delivery: writeBack.carrier,
    parcelQuery: writeBack.waybill,
    ...(writeBack.status && { status: writeBack.status.headers }),
    ...(writeBack.message && { notes: writeBack.message }),
  }
  const needed = ['orderNumber', 'sku', 'delivery', 'parcelQuery', ...(writeBack.status ? (['status'] as const) : [])] as const
  return { ...profile, columns, required: needed.map((field) => [field]) }
}

/** True when the file has the cells to be filled, of a type that can be filled in place. */
export const takesWaybills = (profile: Profile, format: FileFormat, headers: readonly string[]): boolean => {
  if (profile.writeBack === undefined) return false
  // momo's own file is always sent back; a copy of another type is told so.
  if (profile.name === 'momo') return true
  const keys = new Set(headers.map((header) => normaliseHeader(header)))
  const has = (names: readonly string[]) => names.some((name) => keys.has(normaliseHeader(name)))
  const { waybill, carrier, status } = profile.writeBack
  return format !== 'xlsx' && has(waybill) && has(carrier) && (status === undefined || has(status.headers))
}

export const writeBackMomo = (bytes: Buffer, updates: MomoUpdate[]): Promise<Buffer> => writeBack(bytes, momo, updates)

/**
 * Doing the same again changes no byte. An order in several parcels lists its waybills in one cell.
 * @throws OmnisagaError Invalid when it is no unencrypted .xls, lacks the columns, or does not hold one of the orders (`notInWorkbook`).
 */
export async function writeBack(bytes: Buffer, profile: Profile, updates: MomoUpdate[]): Promise<Buffer> {
  const write = writing(profile)
  if (!isCompound(bytes) && profile.name !== 'momo') return await writeBackCsv(bytes, write, updates)
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
  const { sheetName, edits } = await planEdits(await openXls(bytes, DEFAULT_LIMITS), write, updates)
  if (edits.size === 0) return bytes
  const globals = readGlobals(stream)
  const sheet = globals.sheets.find((candidate) => candidate.name === sheetName && candidate.worksheet && !candidate.hidden)
  if (!sheet) throw new Error(`sheet ${sheetName} vanished`)
  return compound.replace('/Workbook', patchSheet(stream, globals, sheet, edits))
}

async function planEdits(
  workbook: Workbook,
  write: Profile,
  updates: MomoUpdate[],
): Promise<{ sheetName: string; edits: CellEdits }> {
  for (const sheet of workbook.sheets) {
    const edits: CellEdits = new Map()
    const found = new Set<MomoUpdate>()
    let columns: Map<Field, number> | null = null
    for await (const row of sheet.rows()) {
      if (columns === null) {
        const header = readHeader(write, row)
        if (missingColumns(write, header).length === 0) columns = header.columnOfField
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
        ['status', write.writeBack?.status && (mine.at(-1)?.status ?? write.writeBack.status.value)],
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
    `No sheet has the columns of ${write.name} for shipping: ${Object.values(write.columns)
      .map(([usual]) => usual)
      .join(', ')}.`,
    'Use the file as the channel exported it.',
  )
}

/** In the encoding and with the delimiter that it came in; cells that are not filled stay as they were. */
async function writeBackCsv(bytes: Buffer, write: Profile, updates: MomoUpdate[]): Promise<Buffer> {
  const { edits } = await planEdits(await openCsv({ bytes, fileName: '' }, DEFAULT_LIMITS), write, updates)
  return edits.size === 0 ? bytes : await rewriteCsv(bytes, edits)
}

const distinct = (texts: string[]) => [...new Set(texts)].join(',')
