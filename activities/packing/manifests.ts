/** Handing over to a courier: the list of parcels, the paper a driver signs, the proof that they were given. */
import { randomUUID } from 'node:crypto'
import type { Document } from '../../connectors/kit/types.ts'
import { manifest } from '../../documents/manifest.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { localTime } from '../../domain/localTime.ts'
import { transaction } from '../../store/db.ts'
import { addManifest, getManifest, manifestParcels, type ManifestShown, type Proof } from '../../store/manifests.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { markShipped } from '../parcelNews.ts'
import { unitsIn } from './sharedBox.ts'
import type { Runtime } from '../runtime.ts'

/**
 * Closes a manifest of everything that is booked, packed and on none yet.
 * @throws OmnisagaError Invalid: no such location or courier; Rejected: there is nothing to hand over.
 */
export async function createManifest(
  runtime: Runtime,
  args: { location: string; courier: string; who: string },
): Promise<ManifestShown> {
  const { rows } = await runtime.pool.query<{ place: boolean }>('select exists (select from locations where id = $1) as place', [
    args.location,
  ])
  if (rows[0]?.place !== true)
    throw new OmnisagaError('Invalid', `there is no location ${args.location}`, {
      code: 'unknownLocation',
      remedy: 'Name one that is configured.',
    })
  if ((await runtime.connectorOf(args.courier)).courier === undefined)
    throw new OmnisagaError('Invalid', `connection ${args.courier} is not a courier`, {
      code: 'noCourier',
      remedy: 'Name a courier connection.',
    })
  const id = `m-${randomUUID().slice(0, 13)}`
  const taken = await transaction(runtime.pool, (tx) => addManifest(tx, { id, ...args }))
  if (taken === 0)
    throw new OmnisagaError('Rejected', `no packed parcel of ${args.courier} waits at ${args.location}`, {
      code: 'nothingToHandOver',
      remedy: 'See GET /api/v1/manifests for those that were closed already.',
    })
  await askCourier(runtime, id, args.courier)
  return await known(runtime, id)
}

async function known(runtime: Runtime, id: string): Promise<ManifestShown> {
  const found = await getManifest(runtime.pool, id)
  if (found === null) throw new OmnisagaError('Invalid', `there is no manifest ${id}`, { code: 'notFound' })
  return found
}

/** The courier's own paper, where it makes one: asked for once and kept. What goes wrong is kept too, and ours is printed. */
async function askCourier(runtime: Runtime, id: string, courier: string): Promise<void> {
  if ((await runtime.connectorOf(courier)).courier?.manifest === undefined) return
  const parcels = await manifestParcels(runtime.pool, id)
  try {
    const { connector, context } = await runtime.connection(courier)
    const document = await connector.courier?.manifest?.(
      context,
      parcels.map(({ reference, courierBookingId, waybill, service, label }) => ({
        reference,
        courierBookingId: courierBookingId ?? '',
        waybill,
        service,
        label,
      })),
    )
    if (document === undefined) return
    await runtime.pool.query('update manifests set document = $2, content_type = $3, problem = null where id = $1', [
      id,
      document.bytes,
      document.contentType,
    ])
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    await runtime.pool.query('update manifests set problem = $2 where id = $1', [
      id,
      [error.message, error.remedy].filter(Boolean).join(' - '),
    ])
  }
}

/** The courier's own where there is one and `own` is not asked for, else ours. @throws OmnisagaError Invalid: no such manifest. */
export async function manifestPaper(runtime: Runtime, id: string, own: boolean, now: Date): Promise<Document> {
  const shown = await known(runtime, id)
  const { rows } = await runtime.pool.query<{ document: Buffer | null; content_type: string | null; name: string; zone: string }>(
    `select m.document, m.content_type, l.name, l.zone from manifests m join locations l on l.id = m.location where m.id = $1`,
    [id],
  )
  const row = rows[0]
  if (!own && row?.document && row.content_type) return { contentType: row.content_type, bytes: row.document }
  const local = (iso: string) => {
    const { date, clock } = localTime(iso, row?.zone ?? 'Asia/Taipei')
    return `${date} ${clock}`
  }
  const { pickup: coming } = shown
  const pickup =
    coming?.state === 'confirmed'
      ? `${local(coming.from)} – ${local(coming.until)}　${coming.confirmation ?? coming.id ?? ''}`
      : null
  const parcels = await manifestParcels(runtime.pool, id)
  const bytes = await manifest(
    { id, courier: shown.courier, location: row?.name ?? shown.location, madeAt: local(shown.createdAt), pickup, parcels },
    now,
  )
  return { contentType: 'application/pdf', bytes }
}

/**
 * The driver, or the counter of a convenience store, has taken the parcels: what proves it is kept, and they have left. Said again, only
 * the proof is added.
 */
export async function handedOver(
  runtime: Runtime,
  id: string,
  args: { who: string; proof: Pick<Proof, 'kind' | 'reference'> | null },
): Promise<ManifestShown> {
  await known(runtime, id)
  const proofs = args.proof === null ? [] : [{ ...args.proof, at: new Date().toISOString(), by: args.who }]
  await runtime.pool.query(
    `update manifests set handed_over_at = coalesce(handed_over_at, now()), handed_over_by = coalesce(handed_over_by, $2),
       proofs = proofs || $3::jsonb where id = $1`,
    [id, args.who, JSON.stringify(proofs)],
  )
  for (const box of await manifestParcels(runtime.pool, id))
    for (const { orderId, unitId, parcelId } of await unitsIn(runtime.pool, box))
      await changeOrder(runtime.pool, orderId, 'world', async (record, tx) => {
        // One that was cancelled and taken out of the pile does not leave.
        if (record.parcels.find((parcel) => parcel.id === parcelId)?.state !== 'booked') return
        await markShipped(record, tx, record.unit(unitId))
      })
  return await known(runtime, id)
}
