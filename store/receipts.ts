/** Expected receipts: what is to come, when and where; imported, and shown to who asks for what is out of stock. */
import { z } from 'zod'
import { OmnisagaError } from '../domain/errors.ts'
import type { Queryable, Tx } from './db.ts'

export const ExpectedReceipt = z.strictObject({
  sku: z.string().min(1).max(100),
  location: z.string().min(1).max(64),
  /** 0 takes it back. */
  quantity: z.number().int().min(0).max(10_000_000),
  /** Local date. */
  expectedOn: z.iso.date(),
  /** The purchase order, where one is named. */
  reference: z.string().max(100).default(''),
})
export type ExpectedReceipt = z.infer<typeof ExpectedReceipt>

/** What of these receipts nobody has configured. */
export async function unknownTo(
  db: Queryable,
  receipts: readonly ExpectedReceipt[],
): Promise<{ skus: ReadonlySet<string>; locations: ReadonlySet<string> }> {
  const { rows } = await db.query<{ sku: string | null; location: string | null }>(
    `select r.sku, null as location from (select distinct unnest($1::text[]) as sku) r
       where not exists (select from products p where p.sku = r.sku)
     union all select null, r.location from (select distinct unnest($2::text[]) as location) r
       where not exists (select from locations l where l.id = r.location)`,
    [receipts.map(({ sku }) => sku), receipts.map(({ location }) => location)],
  )
  return {
    skus: new Set(rows.flatMap(({ sku }) => sku ?? [])),
    locations: new Set(rows.flatMap(({ location }) => location ?? [])),
  }
}

/**
 * The same receipt told again has its new quantity. @throws Invalid when an article or a location is not known; then nothing is taken.
 */
export async function expectReceipts(tx: Tx, receipts: readonly ExpectedReceipt[]): Promise<number> {
  const { skus, locations } = await unknownTo(tx, receipts)
  const unknown = [...[...locations].map((id) => `location ${id}`), ...[...skus].map((sku) => `article ${sku}`)]
  if (unknown.length > 0)
    throw new OmnisagaError('Invalid', `nobody knows ${unknown.slice(0, 10).join(', ')}`, {
      code: 'receipts',
      remedy: 'Add them to the configuration, or correct the rows. Nothing was taken in.',
    })
  const merged = new Map<string, ExpectedReceipt>()
  for (const receipt of receipts)
    merged.set(JSON.stringify([receipt.reference, receipt.sku, receipt.location, receipt.expectedOn]), receipt)
  const told = JSON.stringify([...merged.values()])
  const ROWS = `jsonb_to_recordset($1::jsonb) as r(reference text, sku text, location text, "expectedOn" text, quantity int)`
  await tx.query(
    `delete from expected_receipts e using ${ROWS} where r.quantity = 0 and (e.reference, e.sku, e.location, e.expected_on)
       = (r.reference, r.sku, r.location, r."expectedOn"::date)`,
    [told],
  )
  await tx.query(
    `insert into expected_receipts (reference, sku, location, expected_on, quantity)
     select r.reference, r.sku, r.location, r."expectedOn"::date, r.quantity from ${ROWS} where r.quantity > 0
     on conflict (reference, sku, location, expected_on) do update set quantity = excluded.quantity, updated_at = now()`,
    [told],
  )
  return merged.size
}

/** From today on, soonest first. */
export async function listReceipts(db: Queryable, filter: { sku?: string; location?: string } = {}): Promise<ExpectedReceipt[]> {
  const { rows } = await db.query<ExpectedReceipt>(
    `select sku, location, quantity, expected_on::text as "expectedOn", reference from expected_receipts
     where expected_on >= current_date - 1 and ($1::text is null or sku = $1) and ($2::text is null or location = $2)
     order by expected_on, sku, location limit 1000`,
    [filter.sku ?? null, filter.location ?? null],
  )
  return rows
}
