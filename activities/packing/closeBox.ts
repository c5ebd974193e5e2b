/** Closing a box: what is broken is replaced where another lies on the shelf; then each order in it has what was scanned for it. */
import type { Tx } from '../../store/db.ts'
import { holdAtFirst } from '../../store/ledger/between.ts'
import { consume } from '../../store/ledger/operations.ts'
import type { OrderRecord, UnitRecord } from '../../store/orderRecord.ts'
import { pack, pick } from '../advice.ts'
import { afterReplacing, type Bench, type BenchLine } from './bench.ts'
import type { Reply } from './words.ts'

type Records = ReadonlyMap<string, OrderRecord>
interface InBox {
  unitId: string
  orderId: string
}

const partOf = (records: Records, { unitId, orderId }: InBox): { record: OrderRecord; unit: UnitRecord } => {
  const record = records.get(orderId)
  if (record === undefined) throw new Error(`order ${orderId} is not locked`)
  return { record, unit: record.unit(unitId) }
}

/** @returns the box with the pieces that are to be fetched, null when none can be had here. */
export async function replaceBroken(
  tx: Tx,
  records: Records,
  inBox: readonly InBox[],
  bench: Bench,
): Promise<{ bench: Bench; reply: Reply } | null> {
  const replaced: number[] = []
  // Whoever says that a piece is not there finds no other of it either.
  const isThere = ({ sku }: BenchLine) => bench.lines.every((line) => line.sku !== sku || line.short === 0)
  for (const line of bench.lines) {
    const of = inBox.find(({ unitId }) => unitId === line.unitId)
    const isWanted = of !== undefined && line.damaged > 0 && isThere(line)
    replaced.push(isWanted ? await replaceLine(tx, partOf(records, of), line) : 0)
  }
  return replaced.some((pieces) => pieces > 0) ? afterReplacing(bench, replaced) : null
}

/** As many as there are: each is held first, then the broken one is booked out. */
async function replaceLine(
  tx: Tx,
  { record, unit }: { record: OrderRecord; unit: UnitRecord },
  line: BenchLine,
): Promise<number> {
  const { lineId, sku } = line
  const about = `${unit.id}/replaced/${lineId}`
  for (let quantity = line.damaged; quantity > 0; quantity--) {
    const key = `${about}/${line.replaced + quantity}`
    const wanted = { key, orderId: record.id, lineId, sku, quantity, expiresAt: null }
    if ((await holdAtFirst(tx, wanted, [unit.location])) === null) continue
    await consume(tx, {
      key,
      orderId: record.id,
      reason: 'damaged',
      reference: unit.id,
      lines: [{ lineId, location: unit.location, quantity }],
    })
    return quantity
  }
  return 0
}

/**
 * What was scanned becomes what is packed; what is broken or not there is booked out, and the saga looks for it elsewhere.
 * @returns the units of which something is in the box.
 */
export async function closeBox(tx: Tx, records: Records, inBox: readonly InBox[], bench: Bench): Promise<string[]> {
  const packed: string[] = []
  for (const each of inBox) {
    const { record, unit } = partOf(records, each)
    const lines = bench.lines.filter(({ unitId }) => unitId === unit.id)
    const told = (lost: (line: BenchLine) => number) => ({
      lines: lines.map((line) => {
        const before = unit.lines.find(({ lineId }) => lineId === line.lineId)?.short ?? 0
        return { lineId: line.lineId, picked: line.scanned, short: before + lost(line) }
      }),
    })
    const broken = told(({ damaged }) => damaged)
    if (lines.some(({ damaged }) => damaged > 0)) await pick(record, tx, unit, broken, 'damaged')
    const missing = told(({ short }) => short)
    await pick(record, tx, unit, missing)
    await pack(record, tx, unit, { weightGrams: bench.weightGrams })
    if (unit.state === 'packed') packed.push(unit.id)
    record.wake()
    await tx.query(
      `insert into packing (unit_id, order_id, bench, box, weight_grams, media, finished_at) values ($1, $2, $3, $4, $5, $6, now())
       on conflict (unit_id) do update set bench = excluded.bench, box = excluded.box, weight_grams = excluded.weight_grams,
         media = excluded.media, finished_at = excluded.finished_at`,
      [unit.id, record.id, { ...bench, lines, history: [] }, bench.box, bench.weightGrams, JSON.stringify(bench.media)],
    )
    await record.closeTasks(tx, { key: `unit:${unit.id}:silent` }, 'it is packed')
  }
  return packed
}
