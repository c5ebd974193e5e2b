/**
 * One scan at a packing station. The station's row is locked first, so its scans go one after the other; the unit's row says which
 * station has it. A scan that closes a box runs under the order's lock, in the transaction in which the order becomes packed.
 */
import { randomUUID } from 'node:crypto'
import { chooseBox } from '../../domain/boxes.ts'
import { transaction, type Tx } from '../../store/db.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { findUnits, goodsOfUnits, linesToPack, lockStation, onBench, productNamed, type OnBench } from '../../store/packing.ts'
import { listBoxes } from '../../store/packingConfiguration.ts'
import { pack, pick } from '../advice.ts'
import { ring } from '../engine.ts'
import type { Runtime } from '../runtime.ts'
import { clean, newBench, next, press, type Bench, type Medium } from './bench.ts'
import { say, type Reply, type Words } from './words.ts'

export interface Scan {
  station: string
  code: string
  /** Sent again with the same one, the first answer is given again. */
  scanId?: string | undefined
  /** Where the station stands: a wave or an order then opens boxes of that location alone. */
  location?: string | undefined
  weightGrams?: number | undefined
  media?: readonly Pick<Medium, 'kind' | 'reference'>[] | undefined
  who: string
}
export interface ScanAnswer {
  station: string
  message: Reply
  next: Words
  box: BenchView | null
  /** The unit that this scan closed: its label is asked for by `GET /api/v1/packing/stations/{station}`. */
  closed: string | null
  repeated: boolean
}
export interface BenchView {
  unitId: string
  orderNumber: string
  waveId: string | null
  stopped: boolean
  suggestedBox: string | null
  bench: Omit<Bench, 'history' | 'stopped'>
}

const PACKABLE = new Set(['handedOver', 'picked'])
export const IDLE: Words = { zh: '掃描箱條碼、訂單或波次', en: 'Scan a box code, an order or a wave' }

/** The bench's answer needs the order's lock. */
const NEEDS_ORDER = Symbol('needs the order')

export async function scan(runtime: Runtime, asked: Scan): Promise<ScanAnswer> {
  const input = { ...asked, scanId: asked.scanId ?? randomUUID(), code: clean(asked.code) }
  for (let tries = 0; ; tries++) {
    const first = await transaction(runtime.pool, (tx) => step(tx, input, null))
    if ('answer' in first) return first.answer
    const closing = await changeOrder(runtime.pool, first.orderId, 'world', (record, tx) => step(tx, input, record))
    if ('answer' in closing.result) {
      // The sweep rings when this one is not heard.
      if (closing.result.answer.closed !== null && !closing.result.answer.repeated)
        await ring(runtime, first.orderId).catch((error: Error) =>
          runtime.log.warn({ order: first.orderId, error: error.name }, 'a packed order will be rung for later'),
        )
      return closing.result.answer
    }
    if (tries >= 3) throw new Error(`station ${input.station} changes its box while it is being closed`)
  }
}

type Input = Scan & { scanId: string }
type Step = { answer: ScanAnswer } | { needs: typeof NEEDS_ORDER; orderId: string }

async function step(tx: Tx, input: Input, record: OrderRecord | null): Promise<Step> {
  await lockStation(tx, input.station)
  const earlier = await tx.query<{ answer: ScanAnswer }>('select answer from scans where station = $1 and scan_id = $2', [
    input.station,
    input.scanId,
  ])
  if (earlier.rows[0]) return { answer: { ...earlier.rows[0].answer, repeated: true } }
  const open = await onBench<Bench>(tx, input.station, 'for update of k')
  const done = open === null ? await begin(tx, input) : await goOn(tx, input, open, record)
  if ('needs' in done) return done
  const answer: ScanAnswer = { station: input.station, repeated: false, ...done }
  await tx.query('insert into scans (station, scan_id, code, unit_id, answer, who) values ($1, $2, $3, $4, $5, $6)', [
    input.station,
    input.scanId,
    input.code,
    open?.unitId ?? answer.box?.unitId ?? null,
    answer,
    input.who,
  ])
  return { answer }
}

type Told = Pick<ScanAnswer, 'message' | 'next' | 'box' | 'closed'>
const idle = (message: Reply, closed: string | null = null): Told => ({ message, next: IDLE, box: null, closed })

/** Nothing is on the bench: the code says what comes onto it. */
async function begin(tx: Tx, { station, code, location }: Input): Promise<Told> {
  const [unit] = await findUnits(tx, code, location ?? null)
  if (unit === undefined) {
    const product = await productNamed(tx, code)
    if (product !== null)
      return idle(
        say('warn', `「${product}」是商品，請先掃箱條碼或訂單`, `${product} is an item: scan a box code or an order first`),
      )
    if (['DONE', 'UNDO', 'DAMAGED', 'SHORT', 'LEAVE'].includes(code.toUpperCase()))
      return idle(say('warn', '桌上沒有箱子', 'There is no box on the bench'))
    return idle(say('warn', `不認得「${code}」`, `${code} is not known here`))
  }
  const of = `${unit.orderNumber} (${unit.id})`
  if (!unit.ours) return idle(say('warn', `${of} 不在這裡裝箱`, `${of} is not packed here: ${unit.location} packs it otherwise`))
  if (unit.state === 'cancelled') return idle(say('stop', `${of} 已取消，不要出貨`, `${of} is cancelled: do not ship it`))
  if (unit.state === 'planned' || unit.state === 'ready')
    return idle(say('warn', `${of} 還沒排進波次`, `${of} is not in a wave yet`))
  if (!PACKABLE.has(unit.state)) {
    await tx.query('update stations set last_unit = $2 where station = $1', [station, unit.id])
    return idle(say('warn', `${of} 已經裝箱，可重印標籤`, `${of} is packed already; its label can be printed again`))
  }
  // Decided by the row, not by what was seen: of two stations one gets it.
  const taken = await tx.query<{ bench: Bench }>(
    `insert into packing (unit_id, order_id, station, bench) values ($1, $2, $3, $4)
     on conflict (unit_id) do update set station = excluded.station
       where packing.finished_at is null and (packing.station is null or packing.station = excluded.station)
     returning bench`,
    [unit.id, unit.orderId, station, newBench(await linesToPack(tx, unit.id))],
  )
  const row = taken.rows[0]
  if (row === undefined) {
    const holder = await tx.query<{ station: string | null }>('select station from packing where unit_id = $1', [unit.id])
    const who = holder.rows[0]?.station ?? '?'
    return idle(say('warn', `${of} 正在工作站 ${who} 裝箱`, `${of} is being packed at station ${who}`))
  }
  return await told(
    tx,
    {
      unitId: unit.id,
      orderId: unit.orderId,
      orderNumber: unit.orderNumber,
      waveId: unit.waveId,
      state: unit.state,
      bench: row.bench,
    },
    say('ok', `訂單 ${unit.orderNumber}`, `Order ${unit.orderNumber}`),
  )
}

async function contextOf(tx: Tx, unitId: string) {
  const boxes = await listBoxes(tx)
  const goods = (await goodsOfUnits(tx, [unitId])).get(unitId) ?? []
  return { boxes, goods, suggested: chooseBox(boxes, goods) }
}

async function told(tx: Tx, open: OnBench<Bench>, message: Reply): Promise<Told> {
  const view = await viewOf(tx, open)
  return { message, next: view.next, box: view.box, closed: null }
}

export async function viewOf(tx: Tx, open: OnBench<Bench>): Promise<{ next: Words; box: BenchView }> {
  const context = await contextOf(tx, open.unitId)
  const { history: _history, stopped, ...bench } = open.bench
  return {
    next: next(open.bench, context),
    box: {
      unitId: open.unitId,
      orderNumber: open.orderNumber,
      waveId: open.waveId,
      stopped: stopped !== null,
      suggestedBox: context.suggested?.id ?? null,
      bench,
    },
  }
}

async function goOn(
  tx: Tx,
  input: Input,
  open: OnBench<Bench>,
  record: OrderRecord | null,
): Promise<Told | { needs: typeof NEEDS_ORDER; orderId: string }> {
  if (!PACKABLE.has(open.state)) {
    await tx.query('update packing set station = null where unit_id = $1', [open.unitId])
    return idle(
      say(
        'stop',
        `訂單 ${open.orderNumber} 已取消或已出貨：停止裝箱，把商品放回`,
        `Order ${open.orderNumber} was cancelled or went on: stop, and put the goods back`,
      ),
    )
  }
  const now = new Date().toISOString()
  const [context, elsewhere] = [await contextOf(tx, open.unitId), await productNamed(tx, input.code)]
  const given: Bench = {
    ...open.bench,
    weightGrams: input.weightGrams ?? open.bench.weightGrams,
    media: [...open.bench.media, ...(input.media ?? []).map((each) => ({ ...each, at: now }))],
  }
  const { bench, reply, outcome } = press(given, input.code, { ...context, elsewhere, now })
  if (outcome === 'closes') {
    if (record === null || record.id !== open.orderId) return { needs: NEEDS_ORDER, orderId: open.orderId }
    return await close(tx, input.station, record, { ...open, bench }, reply)
  }
  await tx.query('update packing set bench = $2, station = case when $3 then null else station end where unit_id = $1', [
    open.unitId,
    bench,
    outcome === 'laidDown',
  ])
  return outcome === 'laidDown' ? idle(reply) : await told(tx, { ...open, bench }, reply)
}

/** What was scanned becomes what is packed; what is broken or not there is booked out, and the saga looks for it elsewhere. */
async function close(tx: Tx, station: string, record: OrderRecord, open: OnBench<Bench>, reply: Reply): Promise<Told> {
  const unit = record.unit(open.unitId)
  const { bench } = open
  const shortOf = (lost: (line: Bench['lines'][number]) => number) => ({
    lines: bench.lines.map((line) => {
      const before = unit.lines.find(({ lineId }) => lineId === line.lineId)?.short ?? 0
      return { lineId: line.lineId, picked: line.scanned, short: before + lost(line) }
    }),
  })
  if (bench.lines.some((line) => line.damaged > 0))
    await pick(
      record,
      tx,
      unit,
      shortOf((line) => line.damaged),
      'damaged',
    )
  await pick(
    record,
    tx,
    unit,
    shortOf((line) => line.short),
  )
  await pack(record, tx, unit, { weightGrams: bench.weightGrams })
  record.wake()
  await tx.query(
    `update packing set bench = $2, box = $3, weight_grams = $4, media = $5, finished_at = now() where unit_id = $1`,
    [open.unitId, { ...bench, history: [] }, bench.box, bench.weightGrams, JSON.stringify(bench.media)],
  )
  await tx.query('update stations set last_unit = $2 where station = $1', [station, open.unitId])
  await record.closeTasks(tx, { key: `unit:${unit.id}:silent` }, 'it is packed')
  return idle(reply, open.unitId)
}
