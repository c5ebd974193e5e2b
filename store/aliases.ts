/** What an article of a channel is called here: chosen once, known for ever. */
import type { Queryable } from './db.ts'

export interface Alias {
  channel: string
  externalSku: string
  sku: string
}

/** @returns false when it said so already. */
export async function setAlias(db: Queryable, { channel, externalSku, sku }: Alias): Promise<boolean> {
  const changed = await db.query(
    `insert into sku_aliases (channel, external_sku, sku) values ($1, $2, $3)
     on conflict (channel, external_sku) do update set sku = excluded.sku where sku_aliases.sku <> excluded.sku`,
    [channel, externalSku, sku],
  )
  return changed.rowCount === 1
}

export async function removeAlias(db: Queryable, channel: string, externalSku: string): Promise<boolean> {
  const removed = await db.query('delete from sku_aliases where channel = $1 and external_sku = $2', [channel, externalSku])
  return removed.rowCount === 1
}

export async function listAliases(db: Queryable, filter: { channel?: string | undefined } = {}): Promise<Alias[]> {
  const rows = await db.query<Alias>(
    `select channel, external_sku as "externalSku", sku from sku_aliases where ($1::text is null or channel = $1)
     order by channel, external_sku limit 10000`,
    [filter.channel ?? null],
  )
  return rows.rows
}

export async function isProduct(db: Queryable, sku: string): Promise<boolean> {
  return (await db.query('select 1 from products where sku = $1', [sku])).rowCount === 1
}

/** Orders of the channel that stand still at the check and have a line of this article. */
export async function ordersWaitingFor(db: Queryable, channel: string, externalSku: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `select distinct o.id from orders o join order_lines l on l.order_id = o.id
     where o.channel = $1 and o.phase = 'blocked' and not o.closed and (l.sku = $2 or l.external_sku = $2) order by o.id`,
    [channel, externalSku],
  )
  return rows.rows.map(({ id }) => id)
}
