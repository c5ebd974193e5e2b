/** What waits at a store to be picked up: told, reminded of, and given back when nobody comes. */
import { giveCommand } from '../../store/commands.ts'
import type { Tx } from '../../store/db.ts'
import { noticeStatement } from '../../store/notices.ts'
import { changeOrder, type OrderRecord, type UnitRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import { voucherFor } from '../../store/vouchers.ts'
import { ring } from '../engine.ts'
import { payBackAll } from '../refund.ts'
import type { Runtime } from '../runtime.ts'

const DAY_MS = 86_400_000

/** The unit is packed at the store: the customer gets a voucher. */
export async function readyForPickup(runtime: Runtime, tx: Tx, record: OrderRecord, unit: UnitRecord): Promise<void> {
  const { pickupDays } = await runtime.policy()
  const expiresAt = new Date(Date.now() + pickupDays * DAY_MS)
  const voucher = await voucherFor(tx, { unitId: unit.id, orderId: record.id, location: unit.location, expiresAt })
  record.tellCustomer({
    key: `${unit.id}:ready`,
    template: 'readyForPickup',
    data: { location: unit.location, until: voucher.expiresAt, voucher: voucher.code },
  })
}

interface Due {
  code: string
  unitId: string
  orderId: string
  location: string
  expiresAt: Date
}
const DUE = `select v.code, v.unit_id as "unitId", v.order_id as "orderId", v.location, v.expires_at as "expiresAt"
  from vouchers v join units u on u.id = v.unit_id where v.used_at is null and v.expired_at is null and u.state = 'packed'`

const remember = (tx: Tx, { code }: Due, what: 'reminded_at' | 'expiring_told_at' | 'expired_at') =>
  tx.query(`update vouchers set ${what} = now() where code = $1 and ${what} is null`, [code])

async function remind(tx: Tx, due: Due, what: 'reminded_at' | 'expiring_told_at'): Promise<void> {
  if ((await remember(tx, due, what)).rowCount === 0) return
  const { template } = what === 'reminded_at' ? { template: 'pickupReminder' } : { template: 'pickupExpiring' }
  const { unitId, orderId, location, expiresAt, code } = due
  const data = { location, until: expiresAt.toISOString(), voucher: code }
  await tx.query(noticeStatement({ key: `${unitId}:${template}`, orderId, template, data }))
}

/** Reminders, last words, and what nobody fetched. */
export async function sweepPickups(runtime: Runtime): Promise<void> {
  const { pool } = runtime
  const policy = await runtime.policy()
  const find = async (condition: string, ...values: unknown[]) =>
    (await pool.query<Due>(`${DUE} and ${condition} order by v.expires_at limit 200`, values)).rows
  for (const due of await find(
    `v.reminded_at is null and v.expires_at > now() + interval '1 day' and v.made_at < now() - $1 * interval '1 day'`,
    policy.pickupReminderDays,
  ))
    await changeOrder(pool, due.orderId, 'world', (_record, tx) => remind(tx, due, 'reminded_at'))
  for (const due of await find(
    `v.expiring_told_at is null and v.expires_at > now() and v.expires_at <= now() + interval '1 day'
       and v.made_at <= v.expires_at - interval '1 day'`,
  ))
    await changeOrder(pool, due.orderId, 'world', (_record, tx) => remind(tx, due, 'expiring_told_at'))
  for (const due of await find('v.expires_at <= now()')) {
    const { record } = await changeOrder(pool, due.orderId, 'world', (locked, tx) =>
      notFetched(tx, locked, due, policy.pickupExpired),
    )
    if (!record.closed)
      await ring(runtime, due.orderId).catch((error: unknown) =>
        runtime.log.warn({ orderId: due.orderId, error: (error as Error).name }, 'the order could not be rung yet'),
      )
  }
}

async function notFetched(tx: Tx, record: OrderRecord, due: Due, what: 'release' | 'task'): Promise<void> {
  const { unitId, location } = due
  // Handed over, or cancelled, a moment ago.
  if (record.unit(unitId).state !== 'packed' || record.is('cancelRequested')) return
  if ((await remember(tx, due, 'expired_at')).rowCount === 0) return
  const severalUnits = record.units.some((unit) => unit.id !== unitId && unit.state !== 'cancelled')
  if (what === 'task' || severalUnits) {
    await openTask(tx, {
      kind: 'pickup.expired',
      key: `order:${record.id}:pickup:${unitId}`,
      orderId: record.id,
      connection: record.connection,
      subject: record.doc.externalId,
      title: `Not picked up at ${location}`,
      detail: `Order ${record.doc.externalId} was kept until ${due.expiresAt.toISOString()}.`,
      remedy: 'Call the customer. Hand it over when they come after all, or cancel the order so that the goods go back on sale.',
      actions: ['collected', 'cancel', 'skip'],
    })
    return
  }
  await payBackAll(tx, record, { key: 'notPickedUp', reason: 'not picked up' })
  await giveCommand(tx, {
    id: `${unitId}:notFetched`,
    orderId: record.id,
    verb: 'cancel',
    detail: { reason: 'not picked up' },
    who: 'omnisaga',
  })
  record.wake()
}
