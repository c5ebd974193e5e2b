/** Waves: what is ready at a location goes to its warehouse together, as one file, once; or is picked from paper by people of ours. */
import { randomUUID } from 'node:crypto'
import type { Wave, WaveUnit } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { chooseBox } from '../domain/boxes.ts'
import { boxKeyOf, intoBoxes } from '../domain/sharedBoxes.ts'
import { byUrgency, dueAt, sorted, type Ready } from '../domain/waves.ts'
import { goodsOfUnits } from '../store/packing.ts'
import { listBoxes, type PackingPlan } from '../store/packingConfiguration.ts'
import { readyUnits, type ReadyRow } from '../store/waves.ts'
import { readOrder, changeOrder } from '../store/orderRecord.ts'
import { transaction } from '../store/db.ts'
import type { Runtime } from './runtime.ts'
import { eachLane } from './intake.ts'

const WAVE_SIZE = 200

/** One round: finishes waves that a crash left open, then makes a new one for each location where units wait. @returns waves written. */
export async function makeWaves(runtime: Runtime): Promise<number> {
  const open = await runtime.pool.query<{ id: string }>(`select id from waves where state = 'open' order by created_at`)
  const failures: unknown[] = []
  // One warehouse that cannot be reached holds up none of the others.
  const apart = (work: Promise<unknown>) => work.catch((error: unknown) => failures.push(error))
  for (const { id } of open.rows) await apart(finishWave(runtime, id))
  const locations = await runtime.pool.query<Place>(
    `${PLACES} where (l.warehouse_connection is null or not c.paused)
       and exists (select 1 from units u where u.location = l.id and u.state = 'ready')`,
  )
  let written = open.rows.length
  for (const location of locations.rows) {
    await apart(
      wavesAt(runtime, location, new Date()).then((ids) => {
        written += ids.length
      }),
    )
  }
  if (failures.length > 0) throw failures[0]
  return written
}

interface Place {
  id: string
  zone: string
  warehouse: string | null
  packing: PackingPlan | null
}
const PLACES = `select l.id, l.zone, l.warehouse_connection as warehouse, l.packing from locations l
  left join connections c on c.name = l.warehouse_connection`

/**
 * A wave at once, whatever the cut-offs say; as many as the location's rules for sorting make.
 * @returns their ids; none when nothing is ready. @throws OmnisagaError Invalid: no waves are made there.
 */
export async function makeWavesNow(runtime: Runtime, location: string): Promise<string[]> {
  const { rows } = await runtime.pool.query<Place>(`${PLACES} where l.id = $1`, [location])
  const [place] = rows
  if (place === undefined || (place.warehouse === null && place.packing === null))
    throw new OmnisagaError('Invalid', `no waves are made at ${location}`, {
      code: 'noWaves',
      remedy: 'Configure "packing" of the location, or a warehouse connection.',
    })
  return await wavesAt(runtime, place, null)
}

/** @param now null: everything that is ready is due. */
async function wavesAt(runtime: Runtime, place: Place, now: Date | null): Promise<string[]> {
  if (place.warehouse !== null) {
    const ready = await runtime.pool.query<Pick<Ready, 'id' | 'orderId'>>(
      `select id, order_id as "orderId" from units where location = $1 and state = 'ready' order by priority desc, ready_at limit $2`,
      [place.id, WAVE_SIZE],
    )
    const boxes = ready.rows.map((unit) => [unit])
    const id = await gatherWave(runtime, place.id, place.warehouse, boxes, {})
    return id === null ? [] : [id]
  }
  if (place.packing === null) return []
  const due = dueAt(await boxesAt(runtime, place.id), place.packing, place.zone, now)
  const made: string[] = []
  for (const { boxes, sortedBy } of sorted(due, place.packing)) {
    const id = await gatherWave(runtime, place.id, null, boxes, sortedBy)
    if (id !== null) made.push(id)
  }
  return made
}

/** What is ready at a location, in boxes, the most urgent first: one box for paid orders of one recipient where the policy wants it so. */
async function boxesAt(runtime: Runtime, location: string): Promise<Ready[][]> {
  const { mergeParcels, routing } = await runtime.policy()
  const ready = await readyUnits(runtime.pool, location)
  if (mergeParcels === 'off')
    return ready
      .map((unit) => ({ ...unit, boxKey: null }))
      .sort(byUrgency)
      .map((unit) => [unit])
  // Where tariffs choose, it is not known yet by which service one without a wish goes.
  const service = routing.tariffs.length > 0 ? wishedService : await servicesOf(runtime, ready)
  const units: Ready[] = ready.map((unit) => ({ ...unit, boxKey: boxKeyOf({ ...unit, service: service(unit) }, mergeParcels) }))
  const ids = units.map(({ id }) => id)
  const [boxes, goods] = [await listBoxes(runtime.pool), await goodsOfUnits(runtime.pool, ids)]
  const fits = (together: readonly Ready[]) =>
    boxes.length === 0 ||
    chooseBox(
      boxes,
      together.flatMap(({ id }) => goods.get(id) ?? []),
    ) !== null
  return intoBoxes(units.sort(byUrgency), fits)
}

const wishedService = ({ order }: ReadyRow): string | null => order.delivery.service

/** The service by which a courier takes a parcel: one channel names it, another leaves it to the courier's own. */
async function servicesOf(runtime: Runtime, ready: readonly ReadyRow[]): Promise<(unit: ReadyRow) => string | null> {
  const services = new Map<string, (unit: ReadyRow) => string | null>()
  for (const name of new Set(ready.map(({ courier }) => courier))) {
    if (name === '') continue
    const { connector, context } = await runtime.connection(name, { evenIfStopped: true })
    const { courier } = connector
    services.set(name, ({ order: { delivery } }) => {
      const kind = delivery.method === 'cvs' ? 'cvs' : 'home'
      const wish = { method: kind, chain: delivery.cvs?.chain ?? null, wished: delivery.service } as const
      try {
        return courier?.serviceFor(context.connection.config, wish) ?? null
      } catch {
        return delivery.service // a person hears of it when it is booked
      }
    })
  }
  return (unit) => services.get(unit.courier)?.(unit) ?? wishedService(unit)
}

const LOCK = 7401923

/** While a wave takes its units in, nobody else finishes it; the lock ends with the process that held it. */
async function gatherWave(runtime: Runtime, ...args: Gathering): Promise<string | null> {
  const waveId = `w-${randomUUID().slice(0, 13)}`
  const client = await runtime.pool.connect()
  let isBroken = true
  try {
    await client.query('select pg_advisory_lock($1, hashtext($2))', [LOCK, waveId])
    const id = await gather(runtime, waveId, ...args)
    await client.query('select pg_advisory_unlock($1, hashtext($2))', [LOCK, waveId])
    isBroken = false
    return id
  } finally {
    client.release(isBroken)
  }
}

/** What a process left open that is gone. */
async function finishWave(runtime: Runtime, waveId: string): Promise<void> {
  await transaction(runtime.pool, async (tx) => {
    const { rows } = await tx.query<{ left: boolean }>('select pg_try_advisory_xact_lock($1, hashtext($2)) as left', [
      LOCK,
      waveId,
    ])
    if (rows[0]?.left === true) await writeWave(runtime, waveId)
  })
}

type Gathering = [
  location: string,
  connection: string | null,
  boxes: readonly (readonly Pick<Ready, 'id' | 'orderId'>[])[],
  sortedBy: Record<string, string>,
]

/** @returns the wave's id; null when nothing of it was ready any more. */
async function gather(
  runtime: Runtime,
  waveId: string,
  ...[location, connection, boxes, sortedBy]: Gathering
): Promise<string | null> {
  const ready = boxes.flatMap((box) => {
    const sharedBox = box.length > 1 ? `b-${randomUUID().slice(0, 13)}` : null
    return box.map((unit) => ({ ...unit, sharedBox }))
  })
  if (ready.length === 0) return null
  await runtime.pool.query('insert into waves (id, location, connection, sorted_by) values ($1, $2, $3, $4)', [
    waveId,
    location,
    connection,
    sortedBy,
  ])
  const policy = await runtime.policy()
  const taken = await eachLane(
    ready,
    (unit) => unit.orderId,
    async (unit) => {
      return (
        await changeOrder(runtime.pool, unit.orderId, 'world', async (record, tx) => {
          const mine = record.unit(unit.id)
          // Judged under the order's lock: a cancellation, a change or the channel's hold that came first wins.
          if (
            mine.state !== 'ready' ||
            record.is('cancelRequested') ||
            !record.is('checked') ||
            !record.is('confirmed') ||
            record.doc.onHold === true
          )
            return false
          // A wave that went out meanwhile (a round that lost its database, finished by another) takes nobody in any more.
          const wave = await tx.query(`select from waves where id = $1 and state = 'open' for share`, [waveId])
          if (wave.rowCount === 0) return false
          mine.state = 'handedOver'
          mine.sharedBox = unit.sharedBox
          record.record('handedToWarehouse')
          await tx.query(
            `update units set wave_id = $2, shared_box = $4, handed_over_at = now(), answer_due_at = now() + $3 * interval '1 millisecond'
             where id = $1`,
            [unit.id, waveId, policy.pickTimeoutMs, unit.sharedBox],
          )
          await record.closeTasks(tx, { key: `order:${record.id}:pick:${unit.id}` }, 'it is in a wave')
          return true
        })
      ).result
    },
  )
  if (!taken.includes(true)) {
    await runtime.pool.query('delete from waves where id = $1', [waveId])
    return null
  }
  await writeWave(runtime, waveId)
  return waveId
}

/** The wave is locked from the look at its units until its file is written, so that none is put into it in between. */
async function writeWave(runtime: Runtime, waveId: string): Promise<void> {
  await transaction(runtime.pool, async (tx) => {
    const wave = await tx.query<{ location: string; connection: string | null; created_at: Date }>(
      `select location, connection, created_at from waves where id = $1 and state = 'open' for update`,
      [waveId],
    )
    const row = wave.rows[0]
    if (row === undefined) return
    const units = await tx.query<{ id: string; order_id: string; priority: number; notes: string | null }>(
      'select id, order_id, priority, notes from units where wave_id = $1 order by priority desc, id',
      [waveId],
    )
    if (units.rows.length === 0) {
      await tx.query('delete from waves where id = $1', [waveId])
      return
    }
    if (row.connection === null) {
      // Ours: nobody is sent a file, its pick list is printed.
      await tx.query(`update waves set state = 'written', written_at = now() where id = $1`, [waveId])
      return
    }
    const { connector, context } = await runtime.connection(row.connection)
    if (connector.warehouse === undefined) throw new Error(`connection ${row.connection} is not a warehouse`)
    const content: Wave = {
      id: waveId,
      location: row.location,
      createdAt: row.created_at.toISOString(),
      units: await Promise.all(units.rows.map((unit) => waveUnit(runtime, unit))),
    }
    const fileName = await connector.warehouse.sendWave(context, content)
    await tx.query(`update waves set state = 'written', file_name = $2, written_at = now() where id = $1`, [waveId, fileName])
  })
}

async function waveUnit(
  runtime: Runtime,
  row: { id: string; order_id: string; priority: number; notes: string | null },
): Promise<WaveUnit> {
  const record = await readOrder(runtime.pool, row.order_id)
  const { recipient, delivery } = record.doc
  const address = recipient.address
  return {
    unitId: row.id,
    orderId: record.id,
    externalId: record.doc.externalId,
    priority: row.priority,
    notes: row.notes,
    askedTime: delivery.askedTime ?? null,
    recipient: {
      name: recipient.name,
      phone: recipient.phone,
      postalCode: address?.postalCode ?? null,
      address: address === null ? null : [address.city, address.district, address.line].filter(Boolean).join('') || address.raw,
    },
    delivery: { method: delivery.method, service: delivery.service },
    lines: record.unit(row.id).lines.map((line) => ({
      lineId: line.lineId,
      sku: line.sku,
      name: record.line(line.lineId).name,
      quantity: line.quantity,
    })),
  }
}
