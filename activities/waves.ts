/** Waves: what is ready at a location goes to its warehouse together, as one file, once. */
import { randomUUID } from 'node:crypto'
import type { Wave, WaveUnit } from '../connectors/kit/types.ts'
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
  for (const { id } of open.rows) await apart(writeWave(runtime, id))
  const locations = await runtime.pool.query<{ id: string; warehouse_connection: string }>(
    `select l.id, l.warehouse_connection from locations l join connections c on c.name = l.warehouse_connection
     where not c.paused and exists (select 1 from units u where u.location = l.id and u.state = 'ready')`,
  )
  let written = open.rows.length
  for (const location of locations.rows) {
    await apart(
      gatherWave(runtime, location.id, location.warehouse_connection).then((isWritten) => {
        if (isWritten) written += 1
      }),
    )
  }
  if (failures.length > 0) throw failures[0]
  return written
}

async function gatherWave(runtime: Runtime, location: string, connection: string): Promise<boolean> {
  const ready = await runtime.pool.query<{ id: string; order_id: string }>(
    `select id, order_id from units where location = $1 and state = 'ready' order by priority desc, ready_at limit $2`,
    [location, WAVE_SIZE],
  )
  const waveId = `w-${randomUUID().slice(0, 13)}`
  await runtime.pool.query('insert into waves (id, location, connection) values ($1, $2, $3)', [waveId, location, connection])
  const policy = await runtime.policy()
  const taken = await eachLane(
    ready.rows,
    (unit) => unit.order_id,
    async (unit) => {
      return (
        await changeOrder(runtime.pool, unit.order_id, 'world', async (record, tx) => {
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
          record.record('handedToWarehouse')
          await tx.query(
            `update units set wave_id = $2, handed_over_at = now(), answer_due_at = now() + $3 * interval '1 millisecond' where id = $1`,
            [unit.id, waveId, policy.pickTimeoutMs],
          )
          return true
        })
      ).result
    },
  )
  if (!taken.includes(true)) {
    await runtime.pool.query('delete from waves where id = $1', [waveId])
    return false
  }
  await writeWave(runtime, waveId)
  return true
}

/** The wave is locked from the look at its units until its file is written, so that none is put into it in between. */
async function writeWave(runtime: Runtime, waveId: string): Promise<void> {
  await transaction(runtime.pool, async (tx) => {
    const wave = await tx.query<{ location: string; connection: string; created_at: Date }>(
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
