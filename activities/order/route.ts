/** Route: the pieces held at one location become one unit; what was not found is looked for elsewhere. */
import type { RoutingDecision } from '../../domain/routing/types.ts'
import type { OrderView } from '../../domain/view.ts'
import type { Queryable, Tx } from '../../store/db.ts'
import { reserveWithin } from '../../store/ledger/batch.ts'
import { lockPlaces } from '../../store/ledger/between.ts'
import { consume, release } from '../../store/ledger/operations.ts'
import type { ReserveLine } from '../../store/ledger/types.ts'
import { changeOrder, readOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { decisionStatement } from '../../store/routingDecisions.ts'
import { openTask } from '../../store/tasks.ts'
import { addUnit } from '../../store/units.ts'
import type { Runtime } from '../runtime.ts'
import { readyForPickup } from '../store/pickups.ts'
import { sendBackUnwanted, waitsForTransfers } from '../store/bringing.ts'
import { claimantOf, place } from './place.ts'
import { locationsLeft } from './reroute.ts'
import { ownLocation } from './reserve.ts'

interface HeldPiece {
  lineId: string
  sku: string
  location: string
  quantity: number
  ships: boolean
}

async function heldPieces(db: Queryable, orderId: string): Promise<HeldPiece[]> {
  const rows = await db.query<HeldPiece>({
    name: 'held-pieces',
    text: `select h.line_id as "lineId", h.sku, h.location, sum(h.quantity)::int as quantity, l.ships
           from holds h join locations l on l.id = h.location where h.order_id = $1 and h.state = 'active'
           group by h.line_id, h.sku, h.location, l.ships, l.priority order by l.priority, h.location, h.line_id`,
    values: [orderId],
  })
  return rows.rows
}

const byLocation = <T extends { location: string }>(pieces: T[]): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const piece of pieces) groups.set(piece.location, [...(groups.get(piece.location) ?? []), piece])
  return groups
}

const goesByCourier = (record: OrderRecord) => record.doc.delivery.method === 'home' || record.doc.delivery.method === 'cvs'

export async function route(runtime: Runtime, orderId: string): Promise<OrderView> {
  const plan = await whereItShips(runtime, orderId)
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      // A change or a cancellation that came first has made another stage the next one.
      if (record.is('routed') || !record.is('reserved') || !record.is('confirmed') || record.is('cancelRequested')) return
      if (plan !== null && plan.course !== record.course) return
      const key = `order:${orderId}:route`
      if (plan !== null) await holdWhereItShips(tx, record, plan)
      const held = await heldPieces(tx, orderId)
      const pieces = goesByCourier(record) ? await keepWanted(tx, record, held) : held
      const isStuck = pieces.some((piece) => !piece.ships)
      if (await waitsForTransfers(tx, record, isStuck)) return
      if (goesByCourier(record) && isStuck) {
        await openTask(tx, {
          kind: 'order.route',
          key,
          orderId,
          connection: record.connection,
          subject: record.doc.externalId,
          title: 'No location can ship this order',
          detail: `The goods of order ${record.doc.externalId} are held at ${[...new Set(pieces.filter(({ ships }) => !ships).map(({ location }) => location))].join(', ')}, where nothing is shipped from, and no other location has them.`,
          remedy: 'Bring stock to a location that ships, then retry; or cancel.',
          actions: ['retry', 'cancel'],
        })
        return
      }
      await record.closeTasks(tx, { key }, 'routed')
      await addUnits(runtime, tx, record, pieces)
      record.record('routed', { units: record.units.map((unit) => unit.id) })
      await sendBackUnwanted(tx, record)
    })
  ).view
}

async function addUnits(
  runtime: Runtime,
  tx: Tx,
  record: OrderRecord,
  pieces: { lineId: string; sku: string; location: string; quantity: number }[],
): Promise<void> {
  const policy = await runtime.policy(record.settingsVersion)
  const urgent = record.doc.kind === 'tryOn' || record.doc.kind === 'store' ? 10 : 0
  const notes = [record.doc.notes, record.doc.delivery.askedTime].filter((wish) => wish).join(' / ') || null
  for (const [location, lines] of byLocation(pieces)) {
    await addUnit(tx, record, {
      location,
      state: 'planned',
      lines,
      notes,
      priority: record.doc.priority + urgent,
      bookingsAllowed: 1 + policy.bookingRetryMs.length,
    })
  }
}

interface Move {
  course: number
  /** Where its goods are held now, and where they shall be. */
  from: HeldPiece[]
  lines: ReserveLine[]
}

/** What was tried on in a store that does not ship leaves from elsewhere. @returns null: it lies where it ships, or is nowhere else. */
async function whereItShips(runtime: Runtime, orderId: string): Promise<Move | null> {
  const record = await readOrder(runtime.pool, orderId)
  if (record.is('routed') || !record.is('reserved') || !record.is('confirmed') || !goesByCourier(record)) return null
  const pieces = await heldPieces(runtime.pool, orderId)
  if (pieces.every((piece) => piece.ships)) return null
  const demand = record.lines.flatMap(({ lineId, sku, ordered, cancelled }) => {
    const quantity = ordered - cancelled - sumOf(pieces.filter((piece) => piece.lineId === lineId && piece.ships))
    return sku !== null && quantity > 0 ? [{ lineId, sku, quantity }] : []
  })
  if (demand.length === 0) return null
  const { missing, lines } = await place(runtime, record, demand)
  return missing.length > 0 ? null : { course: record.course, from: pieces, lines }
}

/** The store's holds go with the same transaction: the goods are held once, whatever is killed. */
async function holdWhereItShips(tx: Tx, record: OrderRecord, { from, lines }: Move): Promise<void> {
  await lockPlaces(tx, [...from, ...lines])
  const given = await tx.query<{ n: number }>('select count(*)::int as n from reservations where order_id = $1', [record.id])
  await reserveWithin(tx, {
    key: `${record.id}/move/${given.rows[0]?.n ?? 0}`,
    orderId: record.id,
    lines,
    mode: 'allOrNothing',
    expiresAt: null,
    ...claimantOf(record),
  })
}

/** What leaves by courier is held where it ships, as much as is wanted; what is held beyond that goes back on sale. */
async function keepWanted(tx: Tx, record: OrderRecord, pieces: HeldPiece[]): Promise<HeldPiece[]> {
  const left = new Map(record.lines.map((line) => [line.lineId, line.ordered - line.cancelled]))
  const shipsFirst = [...pieces.filter((piece) => piece.ships), ...pieces.filter((piece) => !piece.ships)]
  const kept = shipsFirst.map((piece) => {
    const quantity = Math.min(piece.quantity, left.get(piece.lineId) ?? 0)
    left.set(piece.lineId, (left.get(piece.lineId) ?? 0) - quantity)
    return { ...piece, quantity }
  })
  const beyond = kept.map((piece, at) => ({ ...piece, quantity: (shipsFirst[at]?.quantity ?? 0) - piece.quantity }))
  const lines = beyond
    .filter(({ quantity }) => quantity > 0)
    .map(({ lineId, location, quantity }) => ({ lineId, location, quantity }))
  if (lines.length > 0) await release(tx, { orderId: record.id, lines })
  return kept.filter(({ quantity }) => quantity > 0)
}

/** The warehouse did not find some pieces: held elsewhere they become a unit of their own; found nowhere, a person decides. */
export async function reRoute(runtime: Runtime, orderId: string): Promise<OrderView> {
  const record = await readOrder(runtime.pool, orderId)
  if (!record.is('routed') || record.is('cancelRequested')) return record.view()
  // A warehouse that gave a unit back leaves its pieces held: those need no second hold.
  const kept = unclaimed(record, await heldPieces(runtime.pool, orderId))
  const demand = record.lines.flatMap((line) => {
    const quantity = record.missingOf(line) - sumOf(kept.filter((piece) => piece.lineId === line.lineId))
    return line.sku !== null && quantity > 0 ? [{ lineId: line.lineId, sku: line.sku, quantity }] : []
  })
  const again = demand.length === 0 ? null : await holdMissing(runtime, record, demand)
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (current, tx) => {
      const key = `order:${orderId}:missing`
      if (!current.is('routed')) {
        // Changed meanwhile: these holds answer a question that nobody asks any more.
        if (!current.is('reserved')) await release(tx, { orderId })
        return
      }
      if (current.is('cancelRequested')) return
      const fresh = unclaimed(current, await heldPieces(tx, orderId))
      if (again !== null) current.alsoWrite(decisionStatement(current, 'again', again.decision))
      if (fresh.length > 0) {
        await addUnits(runtime, tx, current, fresh)
        for (const piece of fresh) {
          const line = current.line(piece.lineId)
          // The pieces of a unit that was given back are counted already.
          line.held = Math.min(line.held + piece.quantity, line.ordered - line.cancelled)
        }
      }
      const missing = current.lines.filter((line) => current.missingOf(line) > 0)
      if (missing.length === 0) {
        await current.closeTasks(tx, { key }, 'found elsewhere')
        return
      }
      if ((again === null || again.held) && fresh.length > 0) return
      await openTask(tx, {
        kind: 'pick.short',
        key,
        orderId,
        connection: current.connection,
        subject: current.doc.externalId,
        title: `Missing, and nowhere else: ${missing.map((line) => `${current.missingOf(line)} × ${line.sku}`).join(', ')}`,
        detail: `The rest of order ${current.doc.externalId} goes on; no other location has what is missing, and nothing is held for it.`,
        remedy: 'Ship without it, retry when there is stock again, or cancel the order.',
        field: 'lines',
        value: missing.map((line) => line.sku).join(', '),
        actions: ['shipWithout', 'retry', 'cancel'],
      })
    })
  ).view
}

/** Active holds that no unit has claimed yet, of each line no more than is missing. */
function unclaimed(record: OrderRecord, pieces: HeldPiece[]): HeldPiece[] {
  const claims = record.units
    .filter((unit) => ['planned', 'ready', 'handedOver', 'picked', 'packed', 'recalling'].includes(unit.state))
    .flatMap((unit) =>
      unit.lines.map((line) => ({ lineId: line.lineId, location: unit.location, quantity: line.quantity - line.short })),
    )
  const missing = new Map(record.lines.map((line) => [line.lineId, record.missingOf(line)]))
  return pieces.flatMap((piece) => {
    const claimed = sumOf(claims.filter((claim) => claim.lineId === piece.lineId && claim.location === piece.location))
    const wanted = missing.get(piece.lineId) ?? 0
    const quantity = Math.min(piece.quantity - claimed, wanted)
    if (quantity <= 0) return []
    missing.set(piece.lineId, wanted - quantity)
    return [{ ...piece, quantity }]
  })
}

const sumOf = (parts: { quantity: number }[]): number => parts.reduce((total, { quantity }) => total + quantity, 0)

/**
 * Where a picker of this order has just found less than the ledger knew: asked again only once more has come or been counted
 * there since, or a person has said retry.
 */
async function shelvesFoundEmpty(db: Queryable, record: OrderRecord): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ sku: string; location: string }>(
    `select m.sku, m.location from movements m
     where m.reason = 'shortPick' and m.reference = any($1) and m.sku = any($2)
       and not exists (select 1 from movements n where n.sku = m.sku and n.location = m.location and n.quantity > 0 and n.id > m.id)
       and not exists (select 1 from commands c where c.order_id = $3 and c.verb = 'retry' and c.state = 'done' and c.answered_at > m.at)`,
    [record.units.map((unit) => unit.id), record.lines.map((line) => line.sku ?? ''), record.id],
  )
  return new Set(rows.rows.map((row) => `${row.sku}\u0000${row.location}`))
}

async function holdMissing(
  runtime: Runtime,
  record: OrderRecord,
  demand: { lineId: string; sku: string; quantity: number }[],
): Promise<{ held: boolean; decision: RoutingDecision }> {
  const notFound = await shelvesFoundEmpty(runtime.pool, record)
  const left = await locationsLeft(runtime.pool, record.id)
  const isOut = (sku: string, location: string) => left.has(location) || notFound.has(`${sku}\u0000${location}`)
  // What was tried on in a store and goes home by courier leaves from where parcels leave.
  const locations = goesByCourier(record) ? null : ownLocation(record)
  const plan = await place(runtime, record, demand, { locations, isOut })
  if (plan.missing.length > 0) return { held: false, decision: plan.decision }
  const answer = await runtime.reserver.reserve({
    key: `${record.id}/again/${record.units.length}/${record.course}`,
    orderId: record.id,
    lines: plan.lines,
    mode: 'allOrNothing',
    expiresAt: null,
    ...claimantOf(record),
  })
  return { held: answer.complete, decision: plan.decision }
}

/** Into the next wave of its location; where none are made (no warehouse system, no packing with scanners), a person is told. */
export async function queueForWave(runtime: Runtime, orderId: string, unitId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      const unit = record.unit(unitId)
      if (unit.state !== 'planned') return
      const location = await tx.query<{ in_waves: boolean }>(
        'select warehouse_connection is not null or packing is not null as in_waves from locations where id = $1',
        [unit.location],
      )
      await tx.query('update units set ready_at = coalesce(ready_at, now()) where id = $1', [unitId])
      unit.state = 'ready'
      if (location.rows[0]?.in_waves) return
      await openTask(tx, {
        kind: 'unit.pick',
        key: `order:${orderId}:pick:${unitId}`,
        orderId,
        connection: record.connection,
        subject: record.doc.externalId,
        title: `Pick and pack at ${unit.location}`,
        detail: `Order ${record.doc.externalId}: ${unit.lines.map((line) => `${line.quantity} × ${line.sku}`).join(', ')}.`,
        remedy: 'Pick and pack the pieces, then say packed: a parcel is booked then.',
        field: 'unit',
        value: unitId,
        actions: ['packed', 'reroute', 'cancel'],
      })
    })
  ).view
}

/** Over the counter: taken along at once, or kept aside until it is collected. */
export async function handOver(runtime: Runtime, orderId: string, unitId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      const unit = record.unit(unitId)
      // Nothing is handed over that was changed or cancelled meanwhile.
      if (unit.state !== 'planned' || record.is('cancelRequested')) return
      for (const line of unit.lines) {
        record.line(line.lineId).picked += line.quantity
        record.line(line.lineId).packed += line.quantity
        line.picked = line.packed = line.quantity
      }
      unit.state = 'packed'
      if (record.doc.delivery.method === 'handOver') await collected(tx, record, unitId)
      else await readyForPickup(runtime, tx, record, unit)
    })
  ).view
}

/** The customer has the goods of a unit in hand. */
export async function collected(tx: Tx, record: OrderRecord, unitId: string): Promise<void> {
  const unit = record.unit(unitId)
  await consume(tx, {
    key: `${unitId}:handedOver`,
    orderId: record.id,
    reason: 'handedOver',
    reference: unitId,
    lines: unit.lines.map((line) => ({ lineId: line.lineId, location: unit.location, quantity: line.packed })),
  })
  for (const line of unit.lines) {
    record.line(line.lineId).shipped += line.packed
    record.line(line.lineId).delivered += line.packed
  }
  unit.state = 'delivered'
  if (record.doc.payment.method === 'cod') record.doc = { ...record.doc, payment: { ...record.doc.payment, state: 'collected' } }
}
