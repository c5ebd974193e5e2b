/** Tracking numbers into the supplier's own workbook, many at a time: the file is written once for all parcels of an import. */
import { readOrdersInWorker, writeBack } from '../mappings/files/index.ts'
import { profileOf } from '../mappings/profiles/index.ts'
import { profileOfLayout } from '../mappings/profiles/layout.ts'
import { acknowledge, type OwedRow } from '../store/outbox.ts'
import { getImport, saveWorkbook, uploadOf } from '../store/imports.ts'
import { closeTasks } from '../store/tasks.ts'
import { fileSettings } from './fileSettings.ts'
import { notTold } from './notTold.ts'
import type { Runtime } from './runtime.ts'

export async function writeWorkbooks(runtime: Runtime, owed: OwedRow[]): Promise<void> {
  const byImport = new Map<string, OwedRow[]>()
  for (const fact of owed)
    byImport.set(String(fact.payload.importId), [...(byImport.get(String(fact.payload.importId)) ?? []), fact])
  for (const [importId, facts] of byImport) {
    try {
      await renderWorkbook(runtime, importId)
      for (const fact of facts) {
        await acknowledge(runtime.pool, fact.id)
        await closeTasks(runtime.pool, { key: `outbox:${fact.key}` }, 'told')
      }
    } catch (error) {
      for (const fact of facts) await notTold(runtime, fact, error)
    }
  }
}

/**
 * Always from the file as it was uploaded and every waybill of its orders known now, whichever import took them in, so that
 * writing it again gives the same and the newest file of several has all of them.
 * @returns how many waybills it holds; none: no workbook was written.
 * @throws OmnisagaError Invalid when the file is of a kind that cannot be written back.
 */
export async function renderWorkbook(runtime: Runtime, importId: string): Promise<number> {
  const job = await getImport(runtime.pool, importId)
  if (job === null) return 0
  const upload = await uploadOf(runtime.pool, importId)
  const settings = await fileSettings(runtime, job.connection)
  const file = await readOrdersInWorker(upload, {
    ...settings,
    profile: job.profile || settings.profile,
    connection: job.connection,
  })
  // By line number, as this file gives it: what an article is called here may have been mended since.
  const skus = new Map(
    file.orders.flatMap(({ order }) => order.lines.map((line) => [`${order.externalId}/${line.lineId}`, line.sku])),
  )
  const parcels = await runtime.pool.query<{
    parcel: string
    externalId: string
    lineId: string
    waybill: string
    service: string
  }>(
    `select p.id as parcel, o.external_id as "externalId", ul.line_id as "lineId", p.waybill, p.service
     from orders o join parcels p on p.order_id = o.id and p.waybill is not null and p.state not in ('void', 'refused')
     join unit_lines ul on ul.unit_id = p.unit_id and ul.quantity > ul.short
     where o.channel = $1 and o.shop = $2 and o.external_id = any($3) order by o.external_id, p.id, ul.line_id`,
    [settings.channel, settings.shop, file.orders.map(({ order }) => order.externalId)],
  )
  const updates = parcels.rows.flatMap(({ externalId, lineId, waybill, service }) => {
    const sku = skus.get(`${externalId}/${lineId}`)
    return sku ? [{ externalId, sku, waybill, carrier: CARRIER[service] ?? service }] : []
  })
  const written = new Set(parcels.rows.map(({ parcel }) => parcel)).size
  if (written > 0)
    await saveWorkbook(
      runtime.pool,
      importId,
      await writeBack(upload.bytes, profileOf(file.profile, settings.layouts.map(profileOfLayout)), updates),
      written,
    )
  return written
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
