/** The courier is asked to come for what is on a manifest: once, whatever happens between the question and its answer. */
import type { Connector, ConnectorContext, Pickup, PickupRequest } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { getManifest, manifestParcels, writePickup, type ManifestShown } from '../../store/manifests.ts'
import type { Runtime } from '../runtime.ts'

const LOCK = 7401924

export interface AskedPickup {
  /** ISO 8601 with offset. */
  from: string
  until: string
  instructions: string | null
}
type Courier = Required<Pick<NonNullable<Connector['courier']>, 'requestPickup' | 'lookUpPickup'>>

/**
 * Of the manifest and the time: another time that is asked for after a refusal is another pickup there, and never one that the courier
 * has refused already.
 */
const referenceOf = (manifestId: string, fromIso: string, untilIso: string): string =>
  [manifestId, ...[fromIso, untilIso].map((iso) => iso.replaceAll(/[-:]|\.\d+/g, ''))].join('-')

/**
 * Asked again when the courier has confirmed, the same pickup comes, whatever time is named.
 * @throws OmnisagaError Invalid: no such manifest, a time that is none, a courier that cannot be asked by a call; Rejected: the courier
 *   does not come, in its words; OutcomeUnknown: it may come, ask again and it is looked up.
 */
export async function askForPickup(runtime: Runtime, id: string, asked: AskedPickup): Promise<ManifestShown> {
  const [fromIso, untilIso] = timeOf(asked, new Date())
  const client = await runtime.pool.connect()
  let isBroken = true
  try {
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as mine', [LOCK, id])
    if (rows[0]?.mine === true) return await askOnce(runtime, id, { ...asked, fromIso, untilIso })
    throw new OmnisagaError('Transient', `the courier is being asked about manifest ${id} at this moment`, {
      code: 'busy',
      remedy: 'Ask again in a few seconds.',
    })
  } finally {
    try {
      // Of one who has no lock it gives back nothing; a lock that cannot be given back ends with its connection.
      await client.query('select pg_advisory_unlock($1, hashtext($2))', [LOCK, id])
      isBroken = false
    } finally {
      client.release(isBroken)
    }
  }
}

function timeOf({ from, until }: AskedPickup, now: Date): [fromIso: string, untilIso: string] {
  const wrong = (field: string, what: string) =>
    new OmnisagaError('Invalid', `${field}: ${what}`, {
      code: field,
      remedy: 'Name two times with their offset, such as 2026-12-31T14:00:00+08:00 and 2026-12-31T18:00:00+08:00.',
    })
  const [begin, end] = [new Date(from), new Date(until)]
  if (Number.isNaN(begin.getTime())) throw wrong('from', `${from} is no time`)
  if (Number.isNaN(end.getTime())) throw wrong('until', `${until} is no time`)
  if (end <= begin) throw wrong('until', `${until} is not after ${from}`)
  if (end <= now) throw wrong('until', `${until} is over`)
  return [begin.toISOString(), end.toISOString()]
}

function courierOf(connector: Connector, connection: string): Courier {
  const { requestPickup, lookUpPickup, comes } = connector.courier ?? {}
  if (requestPickup && lookUpPickup) return { requestPickup, lookUpPickup }
  throw new OmnisagaError('Invalid', `${connection} (${connector.title}) cannot be asked to come by a call`, {
    code: 'noPickup',
    remedy: comes ?? 'Ask the courier by telephone or on its own site.',
  })
}

async function askOnce(
  runtime: Runtime,
  id: string,
  asked: Pick<PickupRequest, 'fromIso' | 'untilIso' | 'instructions'>,
): Promise<ManifestShown> {
  const found = await getManifest(runtime.pool, id)
  if (found === null) throw new OmnisagaError('Invalid', `there is no manifest ${id}`, { code: 'notFound' })
  if (found.pickup?.state === 'confirmed') return found
  courierOf(await runtime.connectorOf(found.courier), found.courier)
  const { connector, context } = await runtime.connection(found.courier)
  const courier = courierOf(connector, found.courier)
  const coming = (await askedBefore(courier, context, found)) ?? (await ask(runtime, courier, context, found, asked))
  await writePickup(runtime.pool, id, { state: 'confirmed', ...coming })
  return {
    ...found,
    pickup: {
      state: 'confirmed',
      id: coming.pickupId,
      confirmation: coming.confirmation,
      from: coming.fromIso,
      until: coming.untilIso,
    },
  }
}

/** An earlier question whose answer never came, or came to a process that is gone. */
const askedBefore = async (courier: Courier, context: ConnectorContext, { id, pickup }: ManifestShown): Promise<Pickup | null> =>
  pickup && (await courier.lookUpPickup(context, referenceOf(id, pickup.from, pickup.until)))

async function ask(
  runtime: Runtime,
  courier: Courier,
  context: ConnectorContext,
  { id, handedOverAt }: ManifestShown,
  asked: Pick<PickupRequest, 'fromIso' | 'untilIso' | 'instructions'>,
): Promise<Pickup> {
  const parcels = (await manifestParcels(runtime.pool, id)).filter(({ state }) => state === 'booked')
  if (handedOverAt !== null || parcels.length === 0)
    throw new OmnisagaError('Rejected', `nothing of manifest ${id} waits for the courier any more`, {
      code: 'nothingToHandOver',
      remedy: 'See the manifest: its parcels were handed over or cancelled.',
    })
  const { fromIso, untilIso } = asked
  await writePickup(runtime.pool, id, { state: 'asked', fromIso, untilIso })
  try {
    return await courier.requestPickup(context, {
      ...asked,
      reference: referenceOf(id, fromIso, untilIso),
      parcels: parcels.map(({ reference, courierBookingId, waybill, service, label }) => ({
        reference,
        courierBookingId: courierBookingId ?? '',
        waybill,
        service,
        label,
      })),
    })
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error // it stays `asked`, and is looked up before the next question
    const { kind, message, code, retryAfterMs } = error
    const isUnknown = kind === 'OutcomeUnknown'
    await writePickup(runtime.pool, id, isUnknown ? { state: 'unknown', fromIso, untilIso } : null)
    const remedy = isUnknown
      ? 'Ask again: whether it comes is looked up first.'
      : (error.remedy ?? 'Ask for another time, or ask the courier by telephone.')
    throw new OmnisagaError(kind, message, {
      remedy,
      ...(code === undefined ? {} : { code }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  }
}
