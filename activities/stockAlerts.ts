/** Low and out of stock: told once when the level is crossed, and closed once it has recovered. */
import type { Pool } from '../store/db.ts'
import { closeTasks, openTask } from '../store/tasks.ts'

/** Over the locations that ship, for nobody in particular: what a channel's allotment keeps is not counted. */
export async function judgeAlerts(pool: Pool, skus: string[]): Promise<void> {
  if (skus.length === 0) return
  const { rows } = await pool.query<{ sku: string; name: string | null; low: number; available: number; alert: string | null }>(
    `select p.sku, p.name, p.low_stock as low, a.level as alert, coalesce((
       select sum(stock_available(s.sku, s.location, null, null)) from stock s join locations l on l.id = s.location
       where s.sku = p.sku and l.ships), 0)::integer as available
     from products p left join stock_alerts a on a.sku = p.sku where p.low_stock is not null and p.sku = any($1)`,
    [skus],
  )
  for (const { sku, name, low, available, alert } of rows) {
    const level = available === 0 ? 'out' : available <= low ? 'low' : null
    if (level === alert) continue
    const key = `stock:alert:${sku}`
    if (level === null) {
      await pool.query('delete from stock_alerts where sku = $1', [sku])
      await closeTasks(pool, { key }, 'there is stock again')
      continue
    }
    await openTask(pool, {
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
    // After the task: a crash between the two opens it once more, which only refreshes it.
    await pool.query(
      `insert into stock_alerts (sku, level) values ($1, $2) on conflict (sku) do update set level = excluded.level, since = now()`,
      [sku, level],
    )
  }
}
