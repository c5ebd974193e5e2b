/** A carrier is asked to come: made, then bought; whatever an earlier try left is taken up. */
import { setTimeout as wait } from 'node:timers/promises'
import { OmnisagaError } from '../../domain/errors.ts'
import type { BookedParcel, Pickup, PickupRequest } from '../kit/types.ts'
import { call, known, look, type Context } from './api.ts'
import { batchOf, buyRequest, carrierOf, comingOf, pickupOf, pickupRequest, type Batch, type MadePickup } from './pickups.ts'

/** A batch is filled in the background (docs.easypost.com/docs/batches). */
const LOOKS_AT_BATCH = 5
const BETWEEN_LOOKS_MS = 400

async function madeBefore(ctx: Context, reference: string): Promise<MadePickup | null> {
  const found = await look(ctx, 'pickups', reference)
  return found === null ? null : pickupOf(found)
}

export async function lookUpPickup(ctx: Context, reference: string): Promise<Pickup | null> {
  const made = await madeBefore(ctx, reference)
  return made && comingOf(made)
}

const holds = ({ shipments }: Batch, parcels: readonly BookedParcel[]) =>
  shipments.length === parcels.length &&
  parcels.every(({ courierBookingId }) => shipments.some(({ id }) => id === courierBookingId))

/** A shipment says in which batch it is: one that an earlier try made is used again. */
async function batchFor(ctx: Context, parcels: readonly [BookedParcel, ...BookedParcel[]]): Promise<Batch> {
  const read = async (id: string) => batchOf(await call(ctx, { method: 'GET', path: `/batches/${encodeURIComponent(id)}` }))
  const { batch_id: before } = await known(ctx, parcels[0])
  const shipments = parcels.map(({ courierBookingId: id }) => ({ id }))
  let batch =
    typeof before === 'string'
      ? await read(before)
      : batchOf(await call(ctx, { method: 'POST', path: '/batches', body: { batch: { shipments } } }))
  for (let times = 0; batch.state === 'creating' && !holds(batch, parcels) && times < LOOKS_AT_BATCH; times++) {
    await wait(BETWEEN_LOOKS_MS)
    batch = await read(batch.id)
  }
  if (holds(batch, parcels)) return batch
  if (batch.state === 'creating')
    throw new OmnisagaError('Transient', 'EasyPost is putting the parcels together', {
      code: 'creating',
      retryAfterMs: 60_000,
      remedy: 'Ask again in a minute.',
    })
  throw new OmnisagaError('Rejected', `EasyPost holds other parcels in the batch (${batch.state})`, {
    code: 'batch',
    remedy: 'Ask the carrier by telephone, or look the batch up in the EasyPost console.',
  })
}

async function make(ctx: Context, asked: PickupRequest): Promise<MadePickup> {
  const [first, ...others] = asked.parcels
  if (!first) throw new OmnisagaError('Invalid', 'no parcel was named', { code: 'shipments', remedy: 'Name at least one.' })
  const of =
    others.length === 0
      ? { shipment: { id: first.courierBookingId } }
      : { batch: { id: (await batchFor(ctx, [first, ...others])).id } }
  const body = pickupRequest(ctx.connection.config, asked, of)
  return pickupOf(await call(ctx, { method: 'POST', path: '/pickups', body }))
}

export async function requestPickup(ctx: Context, asked: PickupRequest): Promise<Pickup> {
  const carrier = carrierOf(asked.parcels)
  const made = (await madeBefore(ctx, asked.reference)) ?? (await make(ctx, asked))
  const before = comingOf(made)
  if (before) return before
  const body = buyRequest(made, carrier)
  const answer = await call(ctx, { method: 'POST', path: `/pickups/${made.id}/buy`, body })
  const coming = confirmed(answer)
  if (coming) return coming
  throw new OmnisagaError('OutcomeUnknown', 'EasyPost: the pickup was bought, and its answer does not say that somebody comes', {
    code: 'no-confirmation',
    remedy: 'Look it up.',
  })
}

/** What cannot be read of a purchase that went through does not undo it. */
function confirmed(answer: unknown): Pickup | null {
  try {
    return comingOf(pickupOf(answer))
  } catch (error) {
    if (error instanceof OmnisagaError && error.kind === 'Invalid') return null
    throw error
  }
}
