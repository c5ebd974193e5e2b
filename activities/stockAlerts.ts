/** Low and out of stock: told once when the level is crossed, however many look at once, and closed once it has recovered. */
import { transaction, type Pool, type Queryable, type Tx } from '../store/db.ts'
import { closeTasks, openTask } from '../store/tasks.ts'

interface Seen {
  sku: string
  name: string | null
  low: number
  available: number
  /** What was told last. */
  alert: 'low' | 'out' | null
}

/** Two who judge one SKU do so one after the other. */
const LOCK = 7_401_932

const levelOf = ({ available, low }: Seen): Seen['alert'] => (available === 0 ? 'out' : available <= low ? 'low' : null)

/** Over the locations that ship, for nobody in particular: what a channel's allotment keeps is not counted. */
async function look(db: Queryable, skus: string[]): Promise<Seen[]> {
  const { rows } = await db.query<Seen>(
    `select p.sku, p.name, p.low_stock as low, a.level as alert, coalesce((
       select sum(stock_available(s.sku, s.location, null, null)) from stock s join locations l on l.id = s.location
       where s.sku = p.sku and l.ships), 0)::integer as available
     from products p left join stock_alerts a on a.sku = p.sku where p.low_stock is not null and p.sku = any($1)`,
    [skus],
  )
  return rows
}

export async function judgeAlerts(pool: Pool, skus: string[]): Promise<void> {
  if (skus.length === 0) return
  for (const { sku } of (await look(pool, skus)).filter((seen) => levelOf(seen) !== seen.alert))
    await transaction(pool, async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCK, sku])
      // A statement of its own: it sees what was told until the lock was had.
      const [seen] = await look(tx, [sku])
      if (seen !== undefined && levelOf(seen) !== seen.alert) await tell(tx, seen, levelOf(seen))
    })
}

async function tell(tx: Tx, { sku, name, low, available }: Seen, level: Seen['alert']): Promise<void> {
  const key = `stock:alert:${sku}`
  if (level === null) {
    await tx.query('delete from stock_alerts where sku = $1', [sku])
    await closeTasks(tx, { key }, 'there is stock again')
    return
  }
  await openTask(tx, {
    kind: 'stock.low',
    key,
    subject: sku,
    title: level === 'out' ? `${sku} is out of stock` : `${sku} runs low: ${available} left`,
    detail: `${name ?? sku}: ${available} can be sold; told at ${low} and at none.`,
    remedy: 'Order or move more. It closes by itself once there is enough.',
    field: 'sku',
    value: sku,
    actions: ['skip'],
  })
  await tx.query(
    `insert into stock_alerts (sku, level) values ($1, $2) on conflict (sku) do update set level = excluded.level, since = now()`,
    [sku, level],
  )
}
