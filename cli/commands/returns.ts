/** returns, and what people do with one. */
import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { askReturn, decideReturn, withCustomer } from '../../activities/returns/ask.ts'
import { exchangeLines } from '../../activities/returns/exchange.ts'
import { inspectReturn, leftToInspect } from '../../activities/returns/inspect.ts'
import { receiveReturn } from '../../activities/returns/receive.ts'
import type { Runtime } from '../../activities/runtime.ts'
import type { Disposition } from '../../domain/returns.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { readOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { findOrderId } from '../../store/orders.ts'
import { listReturns, readReturn, type ReturnRow } from '../../store/returns.ts'
import { Misuse, type ExitCode } from '../exit.ts'
import { bold, dim, localTime, print, printJson, safe, table, type Column } from '../output/text.ts'
import { withRuntime } from '../session.ts'

const who = () => `cli:${userInfo().username}`
const goods = (row: ReturnRow) => row.lines.map((line) => `${line.quantity} × ${line.sku}`).join(', ')

const COLUMNS: Column<ReturnRow>[] = [
  { title: 'ID', of: (row) => row.id },
  { title: 'ORDER', of: (row) => row.orderId },
  { title: 'STATE', of: (row) => row.state },
  { title: 'WAY', of: (row) => row.way },
  { title: 'AT', of: (row) => row.location },
  { title: 'GOODS', of: goods, most: 40 },
  { title: 'REASON', of: (row) => row.reason, most: 30 },
  { title: 'ASKED', of: (row) => localTime(row.createdAt) },
]

export interface ReturnsOptions {
  order?: string
  state?: string
  limit: number
  json?: boolean
}

export async function list({ order, state, limit, json }: ReturnsOptions): Promise<ExitCode> {
  const found = await withRuntime(async ({ pool }) =>
    listReturns(pool, {
      ...(order === undefined ? {} : { orderId: await orderNamed(pool, order) }),
      ...(state ? { state } : {}),
      limit,
    }),
  )
  if (json) printJson({ returns: found })
  else
    print(
      found.length === 0
        ? 'There are no such returns.'
        : `${table(found, COLUMNS)}\n${dim('omnisaga returns show ID shows one, and what can be done.')}`,
    )
  return 0
}

async function orderNamed(pool: Runtime['pool'], id: string): Promise<string> {
  const found = await findOrderId(pool, id)
  if (found === null)
    throw new OmnisagaError('Invalid', `there is no order ${id}`, { code: 'notFound', remedy: '`omnisaga orders` lists them.' })
  return found
}

/** What can be done with it now, as commands. */
function possible(row: ReturnRow): string[] {
  const left = leftToInspect(row)
  const isMissing = row.lines.some(({ quantity, received }) => received < quantity)
  return [
    ...(row.state === 'asked' ? ['approve', 'refuse', 'cancel'] : []),
    ...(row.state === 'refused' ? ['approve'] : []),
    ...(row.state === 'approved' && row.way !== 'cameBack' ? ['cancel'] : []),
    ...(['approved', 'received', 'expired'].includes(row.state) && isMissing ? ['receive'] : []),
    ...(left.length > 0 ? ['inspect'] : []),
  ].map((word) => `omnisaga returns ${word} ${row.id}${word === 'inspect' ? ' restock|outlet|refurbish|scrap' : ''}`)
}

function shown(row: ReturnRow, json: boolean | undefined): ExitCode {
  const can = possible(row)
  if (json) {
    printJson({ ...row, possible: can })
    return 0
  }
  const waiting = new Map(leftToInspect(row).map(({ lineId, quantity }) => [lineId, quantity]))
  print(
    [
      `${bold(row.id)}  ${row.state}  ${dim(`order ${row.orderId}, ${row.way}`)}`,
      `  reason   ${safe(row.reason)}`,
      `  at       ${safe(row.location)}${row.dueAt === null ? '' : `, until ${localTime(row.dueAt)}`}`,
      ...row.because.map((why) => `  why      ${safe(why)}`),
      ...(row.exchangeOrderId === null ? [] : [`  instead  order ${row.exchangeOrderId}, ${row.exchangeState}`]),
      ...row.parcels.map(
        (parcel) =>
          `  parcel   ${parcel.courier} ${safe(parcel.waybill ?? parcel.courierBookingId)} ${parcel.state} ${safe(parcel.refusal)}`,
      ),
      table(row.lines, [
        { title: 'LINE', of: (line) => line.lineId, most: 20 },
        { title: 'SKU', of: (line) => line.sku },
        { title: 'ASKED', of: (line) => line.quantity, right: true },
        { title: 'HERE', of: (line) => line.received, right: true },
        { title: 'TO INSPECT', of: (line) => waiting.get(line.lineId) ?? 0, right: true },
      ]),
      ...row.dispositions.map(
        (each) =>
          `  ${each.quantity} × line ${each.lineId}: ${each.disposition} at ${each.location}, by ${safe(each.by)}  ${dim(safe(each.note))}`,
      ),
      ...can.map((each) => dim(`  npx ${each}`)),
    ].join('\n'),
  )
  return 0
}

export async function show(id: string, { json }: { json?: boolean }): Promise<ExitCode> {
  return shown(await withRuntime(({ pool }) => readReturn(pool, id)), json)
}

interface Named {
  name: string
  quantity: number
}

/** @throws Misuse: not NAME=PIECES. */
function named(option: string, given: string): Named {
  const at = given.lastIndexOf('=')
  const [name, quantity] = [given.slice(0, at), Number(given.slice(at + 1))]
  if (at < 1 || !/^\d+$/.test(given.slice(at + 1)) || quantity < 1)
    throw new Misuse(`${option} ${given}: write a line and its pieces, for example ${option} 1=2`)
  return { name, quantity }
}

/** A line by its id, or by its SKU where one line alone has it. @throws Invalid, with what there is. */
function linesOf(
  lines: readonly { lineId: string; sku: string | null }[],
  wanted: readonly Named[],
): { lineId: string; quantity: number }[] {
  return wanted.map(({ name, quantity }) => {
    const byId = lines.find(({ lineId }) => lineId === name)
    const bySku = lines.filter(({ sku }) => sku === name)
    const found = byId ?? (bySku.length === 1 ? bySku[0] : undefined)
    if (found === undefined)
      throw new OmnisagaError(
        'Invalid',
        `--line ${name}: ${bySku.length > 1 ? 'several lines have this SKU' : 'there is no such line'}`,
        {
          code: 'returnLines',
          remedy: `Lines are ${lines.map(({ lineId, sku }) => `${lineId} (${sku})`).join(', ')}.`,
        },
      )
    return { lineId: found.lineId, quantity }
  })
}

export interface AskOptions {
  line: string[]
  everything?: boolean
  reason: string
  way: 'store' | 'courier' | 'cvs'
  to?: string
  instead: string[]
  key?: string
  json?: boolean
}

export async function ask(
  order: string,
  { line, everything, reason, way, to, instead, key, json }: AskOptions,
): Promise<ExitCode> {
  const wanted = line.map((each) => named('--line', each))
  if (wanted.length > 0 === (everything === true)) throw new Misuse('name what comes back: --line LINE=PIECES, or --everything')
  const others = instead.map(insteadOf)
  const row = await withRuntime(async (runtime) => {
    const record = await readOrder(runtime.pool, await orderNamed(runtime.pool, order))
    const lines = everything ? await allOf(runtime, record) : linesOf(record.lines, wanted)
    const asked = await askReturn(
      runtime,
      record.id,
      {
        key: `${record.id}:${key ?? randomUUID()}`,
        lines,
        reason,
        way,
        location: to ?? null,
        pickup: null,
        exchange: others.length === 0 ? null : { lines: exchangeLines(others) },
      },
      who(),
    )
    return asked.row
  })
  return shown(row, json)
}

/** @throws Rejected: the customer has nothing. */
async function allOf(runtime: Runtime, record: OrderRecord): Promise<{ lineId: string; quantity: number }[]> {
  const lines = [...(await withCustomer(runtime.pool, record))]
    .map(([lineId, quantity]) => ({ lineId, quantity }))
    .filter(({ quantity }) => quantity > 0)
  if (lines.length === 0)
    throw new OmnisagaError(
      'Rejected',
      `the customer of ${record.doc.externalId} has nothing that can come back (${record.phase})`,
      {
        code: 'returnLines',
        remedy: 'What was not delivered is cancelled; what is asked back already is not asked for again.',
      },
    )
  return lines
}

/** @throws Misuse: not SKU=PIECES@PRICE. */
function insteadOf(given: string): { sku: string; quantity: number; unitPriceMinor: number } {
  const at = given.lastIndexOf('@')
  const price = given.slice(at + 1)
  if (at < 1 || !/^\d+$/.test(price))
    throw new Misuse(
      `--instead ${given}: write SKU=PIECES@PRICE, the price of one in minor units, for example --instead TEE-M=1@59000`,
    )
  const { name, quantity } = named('--instead', given.slice(0, at))
  return { sku: name, quantity, unitPriceMinor: Number(price) }
}

export async function decide(id: string, word: 'approve' | 'refuse' | 'cancel', { json }: { json?: boolean }): Promise<ExitCode> {
  return shown(await withRuntime((runtime) => decideReturn(runtime, id, word, who())), json)
}

export async function receive(
  id: string,
  { at, line, json }: { at?: string; line: string[]; json?: boolean },
): Promise<ExitCode> {
  const wanted = line.map((each) => named('--line', each))
  const row = await withRuntime(async (runtime) => {
    const before = await readReturn(runtime.pool, id)
    const location = at ?? before.location ?? ''
    return await receiveReturn(
      runtime,
      id,
      { location, lines: wanted.length === 0 ? null : linesOf(before.lines, wanted) },
      who(),
    )
  })
  return shown(row, json)
}

export interface InspectOptions {
  line: string[]
  to?: string
  note?: string
  refund?: number
  json?: boolean
}

export async function inspect(
  id: string,
  disposition: Disposition,
  { line, to, note, refund, json }: InspectOptions,
): Promise<ExitCode> {
  const wanted = line.map((each) => named('--line', each))
  const row = await withRuntime(async (runtime) => {
    const before = await readReturn(runtime.pool, id)
    const pieces = wanted.length === 0 ? leftToInspect(before) : linesOf(before.lines, wanted)
    if (pieces.length === 0)
      throw new OmnisagaError('Rejected', `nothing of return ${id} waits for an inspection; it is ${before.state}`, {
        code: 'inspected',
        remedy: before.lines.some(({ quantity, received }) => received < quantity)
          ? `Receive it first: omnisaga returns receive ${id}.`
          : 'It was inspected already.',
      })
    const lines = pieces.map((each) => ({ ...each, disposition, location: to ?? null, note: note ?? null }))
    return await inspectReturn(runtime, id, { lines, refundMinor: refund ?? null }, who())
  })
  return shown(row, json)
}
