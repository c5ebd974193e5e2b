/**
 * One scan at a packing station. The station's row is locked first, so its scans go one after the other; the row of the box says which
 * station has it. A scan that closes a box runs under the locks of its orders, in the transaction in which they become packed.
 */
import { randomUUID } from 'node:crypto'
import { chooseBox, type Packed } from '../../domain/boxes.ts'
import { transaction, type Tx } from '../../store/db.ts'
import { changeOrders, type OrderRecord } from '../../store/orderRecord.ts'
import { findUnits, goodsOfUnits, linesToPack, lockStation, onBench, productNamed, type OnBench } from '../../store/packing.ts'
import { listBoxes } from '../../store/packingConfiguration.ts'
import { inBoxWith } from '../../store/sharedBoxes.ts'
import { ring } from '../engine.ts'
import type { Runtime } from '../runtime.ts'
import { clean, newBench, next, press, without, type Bench, type Medium } from './bench.ts'
import { closeBox, replaceBroken } from './closeBox.ts'
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
  /** Of a box with several orders, all their numbers. */
  orderNumber: string
  waveId: string | null
  stopped: boolean
  suggestedBox: string | null
  bench: Omit<Bench, 'history' | 'stopped'>
}

const PACKABLE = new Set(['handedOver', 'picked'])
export const IDLE: Words = { zh: '掃描箱條碼、訂單或波次', en: 'Scan a box code, an order or a wave' }

export async function scan(runtime: Runtime, asked: Scan): Promise<ScanAnswer> {
  const input = { ...asked, scanId: asked.scanId ?? randomUUID(), code: clean(asked.code) }
  for (let tries = 0; ; tries++) {
    const first = await transaction(runtime.pool, (tx) => step(tx, input, NO_ORDERS))
    if ('answer' in first) return first.answer
    const closing = await changeOrders(runtime.pool, first.needs, (records, tx) => step(tx, input, records))
    if ('answer' in closing) {
      const isClosed = closing.answer.closed !== null && !closing.answer.repeated
      for (const orderId of isClosed ? first.needs : []) await ringLater(runtime, orderId)
      return closing.answer
    }
    if (tries >= 3) throw new Error(`station ${input.station} changes its box while it is being closed`)
  }
}

/** The sweep rings when this one is not heard. */
async function ringLater(runtime: Runtime, orderId: string): Promise<void> {
  await ring(runtime, orderId).catch((error: Error) =>
    runtime.log.warn({ order: orderId, error: error.name }, 'a packed order will be rung for later'),
  )
}

type Records = ReadonlyMap<string, OrderRecord>
const NO_ORDERS: Records = new Map()
type Input = Scan & { scanId: string }
/** `needs`: orders that must be locked for it. */
type Step = { answer: ScanAnswer } | { needs: string[] }

async function step(tx: Tx, input: Input, records: Records): Promise<Step> {
  await lockStation(tx, input.station)
  const earlier = await tx.query<{ answer: ScanAnswer }>('select answer from scans where station = $1 and scan_id = $2', [
    input.station,
    input.scanId,
  ])
  if (earlier.rows[0]) return { answer: { ...earlier.rows[0].answer, repeated: true } }
  const open = await onBench<Bench>(tx, input.station, 'for update of k')
  const done = open === null ? await begin(tx, input) : await goOn(tx, input, open, records)
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
  const inIt = (await inBoxWith(tx, unit.id)).filter(({ state }) => PACKABLE.has(state))
  const first = inIt[0] ?? { unitId: unit.id, orderId: unit.orderId, state: unit.state }
  // Decided by the row, not by what was seen: of two stations one gets it.
  const taken = await tx.query<{ bench: Bench }>(
    `insert into packing (unit_id, order_id, station, bench) values ($1, $2, $3, $4)
     on conflict (unit_id) do update set station = excluded.station
       where packing.finished_at is null and (packing.station is null or packing.station = excluded.station)
     returning bench`,
    [
      first.unitId,
      first.orderId,
      station,
      newBench(
        await linesToPack(
          tx,
          inIt.map(({ unitId }) => unitId),
        ),
      ),
    ],
  )
  const row = taken.rows[0]
  if (row === undefined) {
    const holder = await tx.query<{ station: string | null }>('select station from packing where unit_id = $1', [first.unitId])
    const who = holder.rows[0]?.station ?? '?'
    return idle(say('warn', `${of} 正在工作站 ${who} 裝箱`, `${of} is being packed at station ${who}`))
  }
  const { bench } = row
  const numbers = ordersOf(bench)
  return await told(
    tx,
    { unitId: first.unitId, orderId: first.orderId, orderNumber: numbers, waveId: unit.waveId, state: first.state, bench },
    say('ok', `訂單 ${numbers}`, `Order ${numbers}`),
  )
}

const unitsOf = ({ lines }: Bench): string[] => [...new Set(lines.map(({ unitId }) => unitId))]
const ordersOf = ({ lines }: Bench): string => [...new Set(lines.map(({ orderNumber }) => orderNumber))].join(' + ')

async function contextOf(
  tx: Tx,
  bench: Bench,
): Promise<{ boxes: Awaited<ReturnType<typeof listBoxes>>; goods: Packed[]; suggested: ReturnType<typeof chooseBox> }> {
  const boxes = await listBoxes(tx)
  const goods = [...(await goodsOfUnits(tx, unitsOf(bench))).values()].flat()
  return { boxes, goods, suggested: chooseBox(boxes, goods) }
}

async function told(tx: Tx, open: OnBench<Bench>, message: Reply): Promise<Told> {
  const view = await viewOf(tx, open)
  return { message, next: view.next, box: view.box, closed: null }
}

export async function viewOf(tx: Tx, open: OnBench<Bench>): Promise<{ next: Words; box: BenchView }> {
  const context = await contextOf(tx, open.bench)
  const { history: _history, stopped, ...bench } = open.bench
  return {
    next: next(open.bench, context),
    box: {
      unitId: open.unitId,
      orderNumber: ordersOf(open.bench),
      waveId: open.waveId,
      stopped: stopped !== null,
      suggestedBox: context.suggested?.id ?? null,
      bench,
    },
  }
}

async function goOn(tx: Tx, input: Input, open: OnBench<Bench>, records: Records): Promise<Told | { needs: string[] }> {
  const living = (await statesOf(tx, open.bench)).filter(({ state }) => PACKABLE.has(state))
  if (living.length < unitsOf(open.bench).length) return await someAreGone(tx, input, open, living)
  const now = new Date().toISOString()
  const [context, elsewhere] = [await contextOf(tx, open.bench), await productNamed(tx, input.code)]
  const given: Bench = {
    ...open.bench,
    weightGrams: input.weightGrams ?? open.bench.weightGrams,
    media: [...open.bench.media, ...(input.media ?? []).map((each) => ({ ...each, at: now }))],
  }
  const { bench, reply, outcome } = press(given, input.code, { ...context, elsewhere, now })
  if (outcome === 'closes') {
    const orders = living.map(({ orderId }) => orderId)
    if (orders.some((id) => !records.has(id))) return { needs: orders }
    const replaced = await replaceBroken(tx, records, living, bench)
    if (replaced !== null) return await keep(tx, { ...open, bench: replaced.bench }, replaced.reply)
    const packed = await closeBox(tx, records, living, bench)
    const closed = packed[0] ?? open.unitId
    await tx.query('update stations set last_unit = $2 where station = $1', [input.station, closed])
    return idle(reply, closed)
  }
  if (outcome === 'stays') return await keep(tx, { ...open, bench }, reply)
  await tx.query('update packing set bench = $2, station = null where unit_id = $1', [open.unitId, bench])
  return idle(reply)
}

async function keep(tx: Tx, open: OnBench<Bench>, reply: Reply): Promise<Told> {
  await tx.query('update packing set bench = $2 where unit_id = $1', [open.unitId, open.bench])
  return await told(tx, open, reply)
}

/** The units of a box as they are now. */
async function statesOf(tx: Tx, bench: Bench): Promise<{ unitId: string; orderId: string; state: string }[]> {
  const { rows } = await tx.query<{ unitId: string; orderId: string; state: string }>(
    'select id as "unitId", order_id as "orderId", state from units where id = any($1) order by id',
    [unitsOf(bench)],
  )
  return rows
}

/** An order of the box was cancelled, or went on otherwise: the others stay on the bench, without its pieces. */
async function someAreGone(
  tx: Tx,
  { station }: Input,
  open: OnBench<Bench>,
  living: { unitId: string; orderId: string; state: string }[],
): Promise<Told> {
  const { bench, reply } = without(open.bench, (unitId) => !living.some((each) => each.unitId === unitId))
  const [first] = living
  if (first?.unitId === open.unitId) return await keep(tx, { ...open, bench }, reply)
  await tx.query('update packing set station = null where unit_id = $1', [open.unitId])
  // The box is under the name of the next one, unless another station has begun it anew.
  const taken =
    first !== undefined &&
    (await tx.query('insert into packing (unit_id, order_id, station, bench) values ($1, $2, $3, $4) on conflict do nothing', [
      first.unitId,
      first.orderId,
      station,
      bench,
    ]))
  if (first !== undefined && taken && taken.rowCount === 1) return await told(tx, { ...open, ...first, bench }, reply)
  return idle(
    say(
      'stop',
      `訂單 ${ordersOf(open.bench)} 已取消或已出貨：停止裝箱，把商品放回`,
      `Order ${ordersOf(open.bench)} was cancelled or went on: stop, and put the goods back`,
    ),
  )
}
