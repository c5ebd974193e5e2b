/**
 * A return that was asked for at the order's channel becomes one here, by the same rules; what the channel then says of it is taken over.
 * Where channel and we disagree, or it is not clear what it means, a person hears both sides.
 */
import type { ChannelReturn } from '../../connectors/kit/types.ts'
import { wholeOf } from '../../domain/bundle.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { orderIdOf } from '../../domain/ids.ts'
import { moneyText } from '../../domain/money.ts'
import { changeOrder, readOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { addChannelParcel, findReturnByKey, readReturn, updateReturn, type ReturnRow } from '../../store/returns.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { askReturn, decideReturn, withCustomer } from './ask.ts'

interface From {
  connection: string
  channel: string
  shop: string
}

/** The courier's word that it was delivered may come after the channel's that it comes back. */
const isEarly = (record: OrderRecord) => !record.closed && !record.lines.some(({ delivered }) => delivered > 0)

/**
 * Told twice, it is one return.
 * @param patient nothing of it is known to be with the customer: it is looked at again later, before a person is asked.
 * @returns the order; null when no order of ours is meant.
 */
export async function hearReturn(
  runtime: Runtime,
  from: From,
  told: ChannelReturn,
  patient: boolean,
): Promise<{ orderId: string } | 'early' | null> {
  const orderId = orderIdOf(from.channel, from.shop, told.externalId)
  const known = await runtime.pool.query('select from orders where id = $1', [orderId])
  if (known.rowCount === 0) return null
  const key = `${orderId}:channel:${told.number}`
  const about = { runtime, orderId, key, who: `channel:${from.channel}`, told }
  const before = await findReturnByKey(runtime.pool, key)
  const opens = before === null && told.goodsComeBack && told.state !== 'cancelled' && told.state !== 'unknown'
  if (opens && patient && isEarly(await readOrder(runtime.pool, orderId))) return 'early'
  const row = before ?? (told.state === 'cancelled' || told.state === 'unknown' ? null : await open(about))
  if (row === null) {
    if (before === null && told.state === 'unknown') await leaveToPerson(about, 'what this status means is not known')
    if (told.state === 'cancelled') await closeTasks(runtime.pool, { key: taskOf(about) }, 'given up at the channel')
    return { orderId }
  }
  await changeOrder(runtime.pool, orderId, 'world', async (_record, tx) => {
    const { number, status, paysBack } = told
    await updateReturn(tx, row.id, { channel: { number, status, paysBack } })
    await closeTasks(tx, { key: taskOf(about) }, 'it is taken in')
    if (told.state !== 'asked' && told.state !== 'unknown')
      await closeTasks(tx, { key: `return:${row.id}:channel` }, `the channel says ${status}`)
    if (told.waybill !== null) await addChannelParcel(tx, row, { connection: from.connection, waybill: told.waybill })
  })
  await follow(about, await readReturn(runtime.pool, row.id))
  return { orderId }
}

interface About {
  runtime: Runtime
  orderId: string
  key: string
  who: string
  told: ChannelReturn
}
const taskOf = ({ key }: About) => `return:${key}`

/** What was decided at the channel is taken over, unless a person here has said otherwise. */
async function follow(about: About, row: ReturnRow): Promise<void> {
  const { runtime, told, who } = about
  if (told.state === 'accepted' || told.state === 'closed') {
    if (row.state === 'asked') await decideReturn(runtime, row.id, 'approve', who)
    if (row.state === 'refused') await leaveToPerson(about, 'here it was refused')
  }
  if (told.state === 'cancelled') {
    if (row.state === 'asked' || row.state === 'approved') await decideReturn(runtime, row.id, 'cancel', who)
    if (row.state === 'received' || row.state === 'done')
      await leaveToPerson(about, `here its goods were received (${row.state})`)
  }
}

/** @returns null when it is a person's, or nothing is to come back. */
async function open(about: About): Promise<ReturnRow | null> {
  const { runtime, orderId, key, who, told } = about
  const record = await readOrder(runtime.pool, orderId)
  if (!told.goodsComeBack) {
    if (told.state === 'asked') await leaveToPerson(about, 'the customer asks for money and keeps the goods')
    else await closeTasks(runtime.pool, { key: taskOf(about) }, `the channel says ${told.status}`)
    return null
  }
  try {
    if (told.unclear !== null) throw new OmnisagaError('Invalid', told.unclear)
    const lines = piecesOf(record, told, await withCustomer(runtime.pool, record))
    const { number, status, paysBack, reason } = told
    const channel = { number, status, paysBack }
    const wanted = { key, lines, reason, way: 'channel' as const, location: null, pickup: null, exchange: null, channel }
    return (await askReturn(runtime, orderId, wanted, who)).row
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Invalid') throw error
    await leaveToPerson(about, error.message)
    return null
  }
}

/** Our lines of theirs; a bundle comes back as a whole. @throws Invalid: a line that the order does not have, or nothing that can come. */
function piecesOf(
  record: OrderRecord,
  { lines }: ChannelReturn,
  has: ReadonlyMap<string, number>,
): { lineId: string; quantity: number }[] {
  const all = [...has].map(([lineId, quantity]) => ({ lineId, quantity })).filter(({ quantity }) => quantity > 0)
  const pieces = lines === null ? all : lines.flatMap((line) => ofLine(record, line, has))
  if (pieces.length === 0)
    throw new OmnisagaError('Invalid', `the customer has nothing of it that can come back (it is ${record.phase} here)`)
  return pieces
}

function ofLine(
  record: OrderRecord,
  { lineId, quantity }: { lineId: string; quantity: number | null },
  has: ReadonlyMap<string, number>,
): { lineId: string; quantity: number }[] {
  const ours = record.lines.flatMap((line) => {
    const whole = wholeOf(line)
    if (line.lineId === lineId) return [{ lineId, per: 1 }]
    if (whole?.lineId === lineId) return [{ lineId: line.lineId, per: whole.per }]
    // Parts of a bundle whose number in one piece the channel does not tell: all of them or none.
    return line.lineId.startsWith(`${lineId}.`) && quantity === null ? [{ lineId: line.lineId, per: 1 }] : []
  })
  if (ours.length === 0) throw new OmnisagaError('Invalid', `there is no line ${lineId} of which pieces could be told`)
  return ours
    .map(({ lineId: id, per }) => ({ lineId: id, quantity: quantity === null ? (has.get(id) ?? 0) : quantity * per }))
    .filter((pieces) => pieces.quantity > 0)
}

/** Both sides' facts, in one task a return. */
async function leaveToPerson(about: About, ours: string): Promise<void> {
  const { runtime, orderId, told, who } = about
  const record = await readOrder(runtime.pool, orderId)
  const pieces = told.lines?.map(({ lineId, quantity }) => `${quantity ?? 'all'} of line ${lineId}`).join(', ') ?? 'all of it'
  const money = told.refundMinor === null ? '' : `, ${moneyText(told.refundMinor, record.doc.payment.currency)} back`
  await openTask(runtime.pool, {
    kind: 'return.told',
    key: taskOf(about),
    orderId,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'The channel speaks of a return that is not settled here',
    detail: `${who} says of return ${told.number}: ${told.status} (${pieces}${money}; ${told.reason}). Here order ${record.doc.externalId} is ${record.phase}: ${ours}.`,
    remedy:
      'Settle it with the customer and at the channel; goods that come back are asked for here too (omnisaga returns ask). Then skip.',
    field: 'return',
    value: told.number,
    actions: ['skip'],
  })
}
