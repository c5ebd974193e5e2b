/** Labels from the courier, for one parcel or many: printing again books nothing. */
import type { BookedParcel, Document } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { findParcels, type KnownParcel } from '../store/parcels.ts'
import { wrongLabelAmount } from './labelAmount.ts'
import { ownLabels } from './packing/labels.ts'
import type { Runtime } from './runtime.ts'

export interface Printed {
  connection: string
  service: string
  /** Ids of the parcels on it. */
  parcels: string[]
  document: Document
}
export interface NotPrinted {
  /** As it was named. */
  parcel: string
  reason: string
  remedy: string
}

const PRINTABLE = new Set(['booked', 'shipped', 'delivered', 'returning', 'returned'])

const notPrinted = (parcel: string, reason: string, remedy: string): NotPrinted => ({ parcel, reason, remedy })

function refusalOf({ id, state, courierBookingId }: KnownParcel): NotPrinted | null {
  if (state === 'void') return notPrinted(id, 'its booking was cancelled', 'Print the parcel that was booked instead.')
  if (!PRINTABLE.has(state) || courierBookingId === null)
    return notPrinted(id, 'it is not booked with the courier yet', 'Wait until it is booked, or see the tasks of its order.')
  return null
}

async function wrongAmount(runtime: Runtime, parcel: KnownParcel): Promise<NotPrinted | null> {
  const wrong = await wrongLabelAmount(runtime.pool, parcel)
  return wrong === null ? null : notPrinted(parcel.id, wrong, 'See the task label.amount of its order; stop the parcel.')
}

export const bookedOf = (parcel: KnownParcel): BookedParcel => ({
  reference: parcel.reference,
  courierBookingId: parcel.courierBookingId ?? '',
  waybill: parcel.waybill,
  service: parcel.service,
  label: parcel.label,
})

/**
 * @param named parcels (id, reference, waybill) or orders (id, the channel's number: all their parcels).
 * @returns a document for each courier and service, and what could not be printed: one bad parcel does not hold up the others.
 */
export async function printLabels(
  runtime: Runtime,
  named: readonly string[],
): Promise<{ documents: Printed[]; refused: NotPrinted[] }> {
  const refused: NotPrinted[] = []
  const wanted = new Map<string, KnownParcel>()
  for (const name of new Set(named)) {
    const found = await findParcels(runtime.pool, name)
    if (found.length === 0)
      refused.push(
        notPrinted(name, 'there is no such parcel or order, or it has no parcel yet', 'omnisaga order ID shows its parcels.'),
      )
    for (const parcel of found) {
      const refusal = refusalOf(parcel) ?? (await wrongAmount(runtime, parcel))
      if (refusal) refused.push(refusal)
      else wanted.set(parcel.id, parcel)
    }
  }
  const documents: Printed[] = []
  const groups = new Map<string, KnownParcel[]>()
  for (const parcel of wanted.values()) {
    const key = `${parcel.courier}\u0000${parcel.service}`
    groups.set(key, [...(groups.get(key) ?? []), parcel])
  }
  for (const group of groups.values()) {
    const [first] = group
    if (!first) continue
    const parcels = group.map(({ id }) => id)
    try {
      documents.push({
        connection: first.courier,
        service: first.service,
        parcels,
        document: await printSheet(runtime, first.courier, group),
      })
    } catch (error) {
      if (!(error instanceof OmnisagaError)) throw error
      refused.push(...parcels.map((id) => notPrinted(id, error.message, error.remedy ?? 'Try again later.')))
    }
  }
  return { documents, refused }
}

/** The courier's own; where it prints none by a call, ours. @throws OmnisagaError */
async function printSheet(runtime: Runtime, courier: string, parcels: KnownParcel[]): Promise<Document> {
  if (!(await runtime.connectorOf(courier)).courier?.labels) return await ownLabels(runtime.pool, parcels, new Date())
  const { connector, context } = await runtime.connection(courier)
  if (!connector.courier?.labels)
    throw new OmnisagaError('Misconfigured', `connection ${courier} is not a courier that prints labels`)
  return await connector.courier.labels(context, parcels.map(bookedOf))
}
