/** Tracking numbers into the supplier's own workbook, many at a time: the file is written once for all parcels of an import. */
import { writeBackMomo } from '../mappings/files/index.ts'
import { acknowledge, retryOwed, type OwedRow } from '../store/outbox.ts'
import { saveWorkbook, uploadOf } from '../store/imports.ts'
import type { Runtime } from './runtime.ts'

/** Profiles whose files are sent back filled in. */
export const WRITES_BACK: ReadonlySet<string> = new Set(['momo'])

export async function writeWorkbooks(runtime: Runtime, owed: OwedRow[]): Promise<void> {
  const byImport = new Map<string, OwedRow[]>()
  for (const fact of owed)
    byImport.set(String(fact.payload.importId), [...(byImport.get(String(fact.payload.importId)) ?? []), fact])
  for (const [importId, facts] of byImport) {
    try {
      await renderWorkbook(runtime, importId)
      for (const fact of facts) await acknowledge(runtime.pool, fact.id)
    } catch (error) {
      for (const fact of facts)
        await retryOwed(runtime.pool, fact.id, Math.min(600_000, 1_000 * 2 ** fact.attempts), (error as Error).message)
    }
  }
}

/** Always from the file as it was uploaded and every waybill known now, so that writing it again gives the same. */
async function renderWorkbook(runtime: Runtime, importId: string): Promise<void> {
  const parcels = await runtime.pool.query<{ external_id: string; waybill: string; service: string; skus: string[] }>(
    `select o.external_id, p.waybill, p.service, array_agg(distinct coalesce(l.external_sku, l.sku)) as skus
     from inbox b join orders o on o.id = b.order_id join parcels p on p.order_id = o.id and p.waybill is not null and p.state not in ('void', 'refused')
     join unit_lines ul on ul.unit_id = p.unit_id join order_lines l on l.order_id = o.id and l.line_id = ul.line_id
     where b.import_id = $1 group by o.external_id, p.id, p.waybill, p.service order by o.external_id, p.id`,
    [importId],
  )
  const upload = await uploadOf(runtime.pool, importId)
  const updates = parcels.rows.flatMap((parcel) =>
    parcel.skus.map((sku) => ({
      externalId: parcel.external_id,
      sku,
      waybill: parcel.waybill,
      carrier: CARRIER[parcel.service] ?? parcel.service,
    })),
  )
  await saveWorkbook(runtime.pool, importId, await writeBackMomo(upload.bytes, updates), parcels.rows.length)
}

/** How Taiwanese channels write a courier. */
const CARRIER: Record<string, string> = {
  TCAT: '黑貓宅急便',
  POST: '中華郵政',
  UNIMART: '7-11',
  FAMI: '全家',
  HILIFE: '萊爾富',
  OKMART: 'OK',
}
