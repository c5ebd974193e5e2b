/** What is printed around a box: the pick list of a wave, the delivery note in it, a label for each piece. */
import { deliveryNotes, type DeliveryNote } from '../../documents/deliveryNote.ts'
import { pickList, type PickRow } from '../../documents/pickList.ts'
import { itemLabels } from '../../documents/small.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { localTime } from '../../domain/localTime.ts'
import { readOrder, type OrderRecord, type UnitRecord } from '../../store/orderRecord.ts'
import { inBoxWith } from '../../store/sharedBoxes.ts'
import { handlingWords } from './words.ts'
import { goodsOfUnits } from '../../store/packing.ts'
import { getWave, waveLines } from '../../store/waves.ts'
import type { Queryable } from '../../store/db.ts'
import { handlingOf } from '../../domain/boxes.ts'

const URGENT = 10

const unknown = (what: string, id: string) =>
  new OmnisagaError('Invalid', `there is no ${what} ${id}`, { code: 'notFound', remedy: 'See the list of waves, or the order.' })

async function placeOf(db: Queryable, id: string): Promise<{ name: string; zone: string }> {
  const { rows } = await db.query<{ name: string; zone: string }>('select name, zone from locations where id = $1', [id])
  return rows[0] ?? { name: id, zone: 'Asia/Taipei' }
}

/** @throws OmnisagaError Invalid: no such wave. */
export async function pickListOf(db: Queryable, waveId: string, now: Date): Promise<Buffer> {
  const wave = await getWave(db, waveId)
  if (wave === null) throw unknown('wave', waveId)
  const lines = await waveLines(db, waveId)
  const inBoxes = [...new Set(lines.map((line) => line.box))]
  const boxOf = new Map(inBoxes.map((box, index) => [box, index + 1]))
  const rows = new Map<string, PickRow & { boxes: { box: number; quantity: number }[] }>()
  for (const line of lines.filter(({ quantity }) => quantity > 0)) {
    const row = rows.get(line.sku) ?? { ...line, name: line.name, quantity: 0, boxes: [] }
    row.quantity += line.quantity
    const box = boxOf.get(line.box) ?? 0
    const known = row.boxes.find((each) => each.box === box)
    if (known) known.quantity += line.quantity
    else row.boxes.push({ box, quantity: line.quantity })
    rows.set(line.sku, row)
  }
  const goods = await goodsOfUnits(db, [...new Set(lines.map(({ unitId }) => unitId))])
  const place = await placeOf(db, wave.location)
  const { date, clock } = localTime(wave.createdAt, place.zone)
  const boxes = inBoxes.map((box, index) => {
    const inBox = lines.filter((line) => line.box === box)
    const units = [...new Set(inBox.map(({ unitId }) => unitId))]
    const handling = handlingWords(handlingOf(units.flatMap((unitId) => goods.get(unitId) ?? [])))
    const isUrgent = inBox.some(({ priority }) => priority >= URGENT)
    const kinds = [...new Set(inBox.map(({ kind }) => KIND[kind] ?? kind))]
    return {
      box: index + 1,
      unitId: units[0] ?? box,
      orderNumber: [...new Set(inBox.map(({ orderNumber }) => orderNumber))].join(' + '),
      pieces: inBox.reduce((sum, line) => sum + line.quantity, 0),
      sort: [...kinds, ...new Set(inBox.map(({ region }) => REGION[region] ?? region))].filter(Boolean).join(' '),
      remarks: [isUrgent ? '優先' : null, units.length > 1 ? `合併 ${units.length} 單` : null, handling.zh]
        .filter(Boolean)
        .join(' '),
    }
  })
  return await pickList(
    {
      waveId,
      location: place.name,
      madeAt: `${date} ${clock}`,
      sortedBy: Object.values(wave.sortedBy).filter(Boolean).join('　'),
      units: inBoxes.length,
      rows: [...rows.values()],
      boxes,
    },
    now,
  )
}

/** As pickers call them. */
const KIND: Record<string, string> = {
  online: '網購',
  store: '門市',
  tryOn: '試穿',
  groupBuy: '團購',
  replenishment: '補貨',
}
const REGION: Record<string, string> = { UNIMART: '7-11', FAMI: '全家', HILIFE: '萊爾富', OKMART: 'OK' }

async function unitOf(db: Queryable, unitId: string) {
  const { rows } = await db.query<{ order_id: string }>('select order_id from units where id = $1', [unitId])
  if (rows[0] === undefined) throw unknown('unit', unitId)
  const record = await readOrder(db, rows[0].order_id)
  return { record, unit: record.unit(unitId) }
}

/**
 * What is (or will be) in the box of this unit, a page for each order in it; no prices. @throws OmnisagaError Invalid: no such unit.
 */
export async function deliveryNoteOf(db: Queryable, unitId: string, now: Date): Promise<Buffer> {
  const { record, unit } = await unitOf(db, unitId)
  const parts =
    unit.state === 'cancelled'
      ? [{ record, unit }]
      : await Promise.all((await inBoxWith(db, unitId)).map((each) => unitOf(db, each.unitId)))
  const numbers = parts.map((part) => part.record.doc.externalId)
  return await deliveryNotes(
    parts.map((part) => noteOf(part, numbers)),
    now,
  )
}

function noteOf({ record, unit }: { record: OrderRecord; unit: UnitRecord }, numbers: string[]): DeliveryNote {
  const { externalId, channel, recipient, payment } = record.doc
  const inBox = unit.lines.map((line) => ({ ...line, quantity: line.quantity - line.short })).filter((line) => line.quantity > 0)
  const pieces = inBox.reduce((sum, line) => sum + line.quantity, 0)
  const wanted = record.lines.reduce((sum, line) => sum + line.ordered - line.cancelled, 0)
  const others = numbers.filter((number) => number !== externalId)
  const remarks = [
    pieces < wanted ? `本訂單共 ${wanted} 件，此箱 ${pieces} 件，其餘另行寄送` : null,
    others.length > 0 ? `與訂單 ${others.join('、')} 同箱寄送` : null,
  ]
  return {
    orderNumber: externalId,
    channel,
    recipient: recipient.name ?? '',
    lines: inBox.map((line) => {
      const { name, variant, unitPriceMinor } = record.line(line.lineId)
      return { sku: line.sku, name, variant, quantity: line.quantity, unitPriceMinor }
    }),
    currency: payment.currency,
    showPrices: false,
    remark: remarks.filter(Boolean).join('；') || null,
    gift: false,
  }
}

/** One label for each piece whose product asks for one. @throws OmnisagaError Invalid: no such unit; Rejected: no product of it asks. */
export async function itemLabelsOf(db: Queryable, unitId: string, now: Date): Promise<Buffer> {
  const { unit } = await unitOf(db, unitId)
  const { rows } = await db.query<{ sku: string; barcode: string | null; name: string | null; text: string }>(
    'select sku, barcode, name, item_label as text from products where sku = any($1) and item_label is not null',
    [unit.lines.map((line) => line.sku)],
  )
  const labels = unit.lines.flatMap((line) => {
    const product = rows.find((each) => each.sku === line.sku)
    return product === undefined ? [] : Array.from({ length: line.quantity - line.short }, () => product)
  })
  if (labels.length === 0)
    throw new OmnisagaError('Rejected', `no product in ${unitId} asks for a label`, {
      code: 'noItemLabels',
      remedy: 'Set "itemLabel" of the product in the configuration.',
    })
  return await itemLabels(labels, now)
}
