/**
 * What is to be brought for an order, and what goes back. Goods that are fetched or tried on go to its store; goods that leave by courier and
 * lie where nothing is shipped from go to where parcels leave; what was brought and is not wanted there goes back.
 */
import type { Queryable, Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { closeTasks } from '../../store/tasks.ts'
import {
  askTransfer,
  getTransfer,
  listTransfers,
  lockTransfer,
  parcelsLeaveFrom,
  saveTransfer,
  unwantedGoBack,
  type Transfer,
} from '../../store/transfers.ts'

interface Piece {
  lineId: string
  sku: string
  location: string
  quantity: number
}

export async function heldPieces(db: Queryable, orderId: string): Promise<Piece[]> {
  const { rows } = await db.query<Piece>(
    `select line_id as "lineId", sku, location, sum(quantity)::int as quantity from holds
     where order_id = $1 and state = 'active' group by 1, 2, 3 order by 3, 1`,
    [orderId],
  )
  return rows
}

export const isUnderWay = ({ purpose, state }: Transfer): boolean =>
  purpose === 'order' && (state === 'requested' || state === 'shipped')

const goesByCourier = ({ doc }: OrderRecord): boolean => doc.delivery.method === 'home' || doc.delivery.method === 'cvs'

const piecesOf = (
  lines: readonly { lineId: string; sku: string; quantity: number }[],
  { lineId, sku }: Pick<Piece, 'lineId' | 'sku'>,
) => lines.filter((line) => line.lineId === lineId && line.sku === sku).reduce((sum, line) => sum + line.quantity, 0)

/** One transfer a sender, of those pieces that are not asked for yet. @returns whether anything of the order is to come. */
async function bring(tx: Tx, record: OrderRecord, pieces: readonly Piece[], to: string): Promise<boolean> {
  const known = await listTransfers(tx, { orderId: record.id })
  const asked = known.filter(({ purpose, state, to: there }) => purpose === 'order' && state === 'requested' && there === to)
  const missing = pieces
    .map((piece) => {
      const lines = asked.filter(({ from }) => from === piece.location).flatMap((transfer) => transfer.lines)
      return { ...piece, quantity: piece.quantity - piecesOf(lines, piece) }
    })
    .filter(({ quantity }) => quantity > 0)
  const senders = [...new Set(missing.map(({ location }) => location))]
  for (const [index, from] of senders.entries())
    await askTransfer(tx, {
      key: `${record.id}/${known.length + index + 1}`,
      purpose: 'order',
      orderId: record.id,
      from,
      to,
      lines: missing.filter(({ location }) => location === from),
      by: 'omnisaga',
    })
  const comes = senders.length > 0 || known.some(isUnderWay)
  if (comes) record.record('inTransfer')
  return comes
}

/** What the order holds elsewhere is to be brought to its store. @returns whether anything is to come. */
export async function askForTransfers(tx: Tx, record: OrderRecord): Promise<boolean> {
  const store = record.doc.delivery.location
  if (store === null) return false
  return await bring(
    tx,
    record,
    (await heldPieces(tx, record.id)).filter(({ location }) => location !== store),
    store,
  )
}

/** What was not found at the sender goes the same way, with another transfer. */
export async function askAgain(tx: Tx, record: OrderRecord, { from, to }: Transfer): Promise<void> {
  const left = (await heldPieces(tx, record.id)).filter(({ location }) => location === from)
  await bring(tx, record, left, to)
}

/**
 * Asked by the stage that routes. @param isStuck something of it is held where nothing is shipped from.
 * @returns true: the order waits; it is routed once its goods have arrived.
 */
export async function waitsForTransfers(tx: Tx, record: OrderRecord, isStuck: boolean): Promise<boolean> {
  if (!goesByCourier(record)) return await askForTransfers(tx, record)
  if (!isStuck && !record.is('inTransfer')) return false
  const pieces = await heldPieces(tx, record.id)
  const leaving = await parcelsLeaveFrom(tx, record.doc.delivery.method)
  const ships = (location: string) => leaving.some(({ id }) => id === location)
  for (const { id, state, purpose, from, to } of await listTransfers(tx, { orderId: record.id, open: true })) {
    const isOver = !ships(to) || !pieces.some(({ location }) => location === from)
    if (state === 'requested' && purpose === 'order' && isOver) await endTransfer(tx, id, 'it ships from where it is')
  }
  const stuck = pieces.filter(({ location }) => !ships(location))
  // Where its other pieces are, so that it leaves as one.
  const to = leaving.find(({ id }) => pieces.some(({ location }) => location === id)) ?? leaving.find(({ isClosed }) => !isClosed)
  const comes = to === undefined ? await isComing(tx, record) : await bring(tx, record, stuck, to.id)
  if (!comes) record.withdraw('inTransfer')
  return comes
}

const isComing = async (tx: Tx, { id }: OrderRecord): Promise<boolean> =>
  (await listTransfers(tx, { orderId: id, open: true })).some(isUnderWay)

export async function endTransfer(tx: Tx, id: string, because: string): Promise<Transfer> {
  const transfer = await lockTransfer(tx, id)
  if (transfer.state !== 'requested') return transfer
  transfer.state = 'cancelled'
  transfer.endedBecause = because
  await saveTransfer(tx, transfer)
  await closeTasks(tx, { key: `transfer:${id}:overdue` }, because)
  return transfer
}

/** What was brought somewhere for this order, is not wanted there any more and is not on its way back. */
export async function sendBackUnwanted(tx: Tx, record: OrderRecord): Promise<void> {
  const ever = await listTransfers(tx, { orderId: record.id })
  const all = ever.filter(({ state }) => state !== 'cancelled')
  const arrived = all.filter(({ purpose, state }) => purpose === 'order' && state === 'arrived')
  if (arrived.length === 0 || !(await unwantedGoBack(tx))) return
  const leaving = await parcelsLeaveFrom(tx, record.doc.delivery.method)
  const ships = (location: string) => leaving.some(({ id }) => id === location)
  const held = await heldPieces(tx, record.id)
  const wantedAt = (location: string, piece: Pick<Piece, 'lineId' | 'sku'>): number => {
    // Once it is known from where it leaves, only what is held there is wanted there.
    const isHere = goesByCourier(record) ? !record.is('routed') : location === record.doc.delivery.location
    const line = record.lines.find(({ lineId, sku }) => lineId === piece.lineId && sku === piece.sku)
    if (isHere) return line === undefined ? 0 : line.ordered - line.cancelled
    return piecesOf(
      held.filter((each) => each.location === location),
      piece,
    )
  }
  for (const transfer of arrived) {
    const { from, to } = transfer
    // Brought to where parcels leave: on sale there like everything else.
    if (ships(to) && !ships(from)) continue
    const lines = transfer.lines.flatMap(({ lineId, sku, arrived: came }) => {
      const piece = { lineId, sku }
      const gone = (where: (other: Transfer) => boolean) =>
        piecesOf(
          all.filter((other) => other.from === to && where(other)).flatMap((other) => other.lines),
          piece,
        )
      const here = arrived
        .filter((other) => other.to === to)
        .flatMap((other) => other.lines.map((line) => ({ ...line, quantity: line.arrived })))
      const quantity = Math.min(
        came - gone((other) => other.to === from),
        piecesOf(here, piece) - gone(() => true) - wantedAt(to, piece),
      )
      return quantity > 0 ? [{ lineId, sku, quantity }] : []
    })
    if (lines.length === 0) continue
    const backs = ever.filter((other) => other.purpose === 'back' && other.from === to && other.to === from)
    const id = await askTransfer(tx, {
      key: `${transfer.id}/back/${backs.length + 1}`,
      purpose: 'back',
      orderId: record.id,
      from: to,
      to: from,
      lines,
      note: `not wanted by ${record.doc.externalId}`,
      by: 'omnisaga',
    })
    all.push(await getTransfer(tx, id))
  }
}
