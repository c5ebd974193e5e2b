/** What a configuration file says of picking and packing: shelves, boxes, sizes, when a location's waves are made. */
import { z } from 'zod'
import type { Box } from '../domain/boxes.ts'
import type { Queryable, Tx } from './db.ts'

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 14:00')
const mm = z.number().int().positive()
const sides = z.tuple([mm, mm, mm])

export const SPLITS = ['priority', 'kind', 'region', 'courier', 'temperature'] as const
export type Split = (typeof SPLITS)[number]

export const PackingPlan = z.strictObject({
  cutOffs: z
    .array(clock)
    .max(24)
    .default([])
    .describe("Times of day on the location's clock at which waves are made; none: whenever something is ready."),
  waveSize: z.number().int().min(1).max(200).default(30).describe('At most so many boxes a wave.'),
  splitBy: z
    .array(z.enum(SPLITS))
    .default([])
    .describe('What the boxes of one wave have in common: priority, kind of order, region (city), courier, temperature.'),
  urgentPriority: z
    .number()
    .int()
    .default(10)
    .describe('Units of at least this priority wait for no cut-off. Try-ons and in-store orders have 10 more than others.'),
})
export type PackingPlan = z.infer<typeof PackingPlan>

export const packingOfLocation = {
  packing: PackingPlan.nullable()
    .default(null)
    .describe('Waves, pick lists and packing by scanner, where no warehouse system picks; null: one task a unit.'),
}
export const packingOfProduct = {
  shelves: z.record(z.string(), z.string().min(1).max(40)).default({}).describe('Where it lies, by location: {"wh": "A-03-2"}.'),
  fragile: z.boolean().default(false).describe('It breaks: only boxes that are fit for it.'),
  sizeMm: sides.nullable().default(null).describe('Length, width, height of one piece, packed for sale.'),
  itemLabel: z
    .string()
    .max(200)
    .nullable()
    .default(null)
    .describe('Printed for each piece, e.g. importer and origin; null: no label.'),
}
export const BoxEntry = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, 'must be 1 to 32 letters, digits, dots, dashes or underscores'),
  name: z.string().min(1).describe('As packers call it.'),
  innerMm: sides.describe('Inner length, width, height.'),
  maxGrams: z.number().int().positive().default(20_000).describe('What it may hold.'),
  fragile: z.boolean().default(false).describe('Fit for goods that break.'),
  chilled: z.boolean().default(false).describe('Fit for chilled and frozen goods.'),
})

interface PackingPart {
  locations: { id: string; packing: PackingPlan | null }[]
  products: {
    sku: string
    shelves: Record<string, string>
    fragile: boolean
    sizeMm: [number, number, number] | null
    itemLabel: string | null
  }[]
  boxes: z.infer<typeof BoxEntry>[]
}

/** After locations and products are written. A shelf at a location that is not known is left out: nothing lies there. */
export async function applyPacking(tx: Tx, { locations, products, boxes }: PackingPart): Promise<void> {
  await tx.query(
    `update locations l set packing = n.packing from jsonb_to_recordset($1) as n(id text, packing jsonb)
     where l.id = n.id and l.packing is distinct from nullif(n.packing, 'null'::jsonb)`,
    [JSON.stringify(locations.map(({ id, packing }) => ({ id, packing })))],
  )
  if (products.length > 0) {
    const rows = JSON.stringify(products)
    await tx.query(
      `update products p set fragile = n.fragile, item_label = n."itemLabel",
         size_mm = case when jsonb_typeof(n."sizeMm") = 'array' then array(select jsonb_array_elements_text(n."sizeMm")::integer) end
       from jsonb_to_recordset($1) as n(sku text, fragile boolean, "sizeMm" jsonb, "itemLabel" text) where p.sku = n.sku`,
      [rows],
    )
    await tx.query('delete from shelves where sku = any($1)', [products.map(({ sku }) => sku)])
    await tx.query(
      `insert into shelves (sku, location, shelf)
       select distinct on (n.sku, s.key) n.sku, s.key, s.value from jsonb_to_recordset($1) as n(sku text, shelves jsonb)
       cross join lateral jsonb_each_text(n.shelves) s join locations l on l.id = s.key`,
      [rows],
    )
  }
  for (const box of boxes)
    await tx.query(
      `insert into boxes (id, name, inner_mm, max_grams, fragile, chilled) values ($1, $2, $3, $4, $5, $6)
       on conflict (id) do update set name = excluded.name, inner_mm = excluded.inner_mm, max_grams = excluded.max_grams,
         fragile = excluded.fragile, chilled = excluded.chilled`,
      [box.id, box.name, box.innerMm, box.maxGrams, box.fragile, box.chilled],
    )
}

export async function listBoxes(db: Queryable): Promise<Box[]> {
  const { rows } = await db.query<Box>(
    `select id, name, inner_mm as "innerMm", max_grams as "maxGrams", fragile, chilled from boxes order by id`,
  )
  return rows
}
