/**
 * The convenience store that a customer chose takes no parcels any more, before the parcel is booked or while it is on its way: the
 * customer is asked for another. The choice books it once more, or is told to the courier; without one a person is asked.
 */
import type { CvsChain } from '../../domain/order.ts'
import type { Tx } from '../../store/db.ts'
import { changeOrder, readOrder, type OrderRecord, type ParcelRecord } from '../../store/orderRecord.ts'
import { owe } from '../../store/outbox.ts'
import { openTask } from '../../store/tasks.ts'
import { mapToken } from '../mapToken.ts'
import type { Runtime } from '../runtime.ts'
import { bookAgain } from './bookAgain.ts'
import { Refusal } from './refusal.ts'

/** The data of the fact `storeClosed`. */
interface Closed {
  storeId: string | null
  /** Those that the courier refused for it, or reported. */
  parcels: string[]
  /** A person was asked, since the customer has not answered. */
  left: boolean
}

const BATCH = 200
const taskKey = (orderId: string) => `order:${orderId}:storeClosed`

function closedOf(record: OrderRecord): (Closed & { at: string }) | null {
  const fact = record.facts.storeClosed
  if (fact === undefined) return null
  return {
    at: fact.at,
    storeId: typeof fact.storeId === 'string' ? fact.storeId : null,
    parcels: Array.isArray(fact.parcels) ? fact.parcels.map(String) : [],
    left: fact.left === true,
  }
}

/** Asked once a store; a second parcel of the order waits for the same answer. */
export function askForStore(record: OrderRecord, parcel: ParcelRecord): void {
  const closed = closedOf(record)
  if (closed !== null) {
    record.facts.storeClosed = { ...closed, parcels: [...new Set([...closed.parcels, parcel.id])] }
    return
  }
  const storeId = record.doc.delivery.cvs?.storeId ?? null
  record.record('storeClosed', { storeId, parcels: [parcel.id], left: false })
  record.tellCustomer({ key: `${parcel.id}:storeClosed:${storeId}`, template: 'storeClosed', data: { parcelId: parcel.id } })
}

/** It is delivered, comes back, or is to go another way. */
export async function storeIsSettled(tx: Tx, record: OrderRecord, outcome: string): Promise<void> {
  record.withdraw('storeClosed')
  await record.closeTasks(tx, { key: taskKey(record.id) }, outcome)
}

/** Whether the parcel is with the courier under its old store. */
const isUnderWay = ({ state }: ParcelRecord) => state === 'booked' || state === 'shipped'

/** @throws Refusal */
export async function chooseStore(
  tx: Tx,
  record: OrderRecord,
  { chain, storeId }: { chain: CvsChain; storeId: string | null },
): Promise<string> {
  const closed = closedOf(record)
  const { delivery } = record.doc
  if (closed === null) throw new Refusal('its pickup store is not closed')
  if (storeId === null) throw new Refusal('no store is named')
  // Also when only another chain was named: the number is still that of the closed store.
  if (storeId === closed.storeId) throw new Refusal('that is the store that is closed')
  const told = record.parcels.filter((parcel) => closed.parcels.includes(parcel.id) && isUnderWay(parcel))
  if (told.length > 0 && chain !== delivery.cvs?.chain)
    throw new Refusal(`its parcel is with ${delivery.cvs?.chain} already: choose another store of that chain`)
  record.doc = {
    ...record.doc,
    delivery: { ...delivery, cvs: { chain, storeId }, service: chain === delivery.cvs?.chain ? delivery.service : null },
  }
  await storeIsSettled(tx, record, 'another store was chosen')
  for (const parcel of told)
    await owe(tx, {
      key: `pickupStore:${parcel.id}:${closed.at}`,
      participant: 'courier',
      connection: parcel.courier,
      kind: 'pickupStore',
      orderId: record.id,
      payload: { parcelId: parcel.id, storeId },
    })
  const refused = record.units.flatMap((unit) => {
    const parcel = record.parcelOf(unit.id)
    return unit.state === 'packed' && parcel?.state === 'refused' ? [parcel] : []
  })
  if (refused.length === 0) return 'the courier is told of the new store'
  for (const parcel of refused) await bookAgain(tx, record, parcel)
  record.withdraw('checked', 'blocked')
  record.changeCourse()
  return 'it is being booked to the new store'
}

/** Where the customer chooses: our page that leads to the courier's map; null when there is no way but to call us. */
export async function linkToMap(runtime: Runtime, record: OrderRecord): Promise<string | null> {
  const closed = closedOf(record)
  const courier = record.parcels.find(({ id }) => id === closed?.parcels.at(-1))?.courier
  if (closed === null || courier === undefined || runtime.publicUrl === null) return null
  if ((await runtime.connectorOf(courier)).courier?.pickupMap === undefined) return null
  const { rechooseStoreMs } = await runtime.policy()
  const about = { what: 'link' as const, connection: courier, orderId: record.id }
  const mark = mapToken(runtime.secretKey, about, new Date(closed.at), rechooseStoreMs)
  return `${runtime.publicUrl}/webhooks/${encodeURIComponent(courier)}/map/${record.id}?mark=${mark}`
}

/** Until when the customer may choose, ISO 8601. */
export async function chooseUntil(runtime: Runtime, record: OrderRecord): Promise<string | null> {
  const closed = closedOf(record)
  const { rechooseStoreMs } = await runtime.policy()
  return closed && new Date(Date.parse(closed.at) + rechooseStoreMs).toISOString()
}

/** Who has not chosen in time is called by a person; who cannot choose by themselves at once. */
export async function leaveClosedStores(runtime: Runtime): Promise<void> {
  const { rows } = await runtime.pool.query<{ id: string }>(
    `select id from orders where facts ? 'storeClosed' and not closed and not coalesce((facts->'storeClosed'->>'left')::boolean, false)
     order by id limit $1`,
    [BATCH],
  )
  for (const { id } of rows) {
    const seen = await readOrder(runtime.pool, id)
    const until = await chooseUntil(runtime, seen)
    if (until !== null && Date.parse(until) > Date.now() && (await linkToMap(runtime, seen)) !== null) continue
    await changeOrder(runtime.pool, id, 'world', async (record, tx) => {
      const closed = closedOf(record)
      if (closed === null || closed.left) return
      record.facts.storeClosed = { ...closed, left: true }
      await askPerson(tx, record, closed)
    })
  }
}

async function askPerson(tx: Tx, record: OrderRecord, closed: Closed): Promise<void> {
  const parcel = record.parcels.find(({ id }) => id === closed.parcels.at(-1))
  const hasLeft = parcel !== undefined && parcel.state === 'shipped'
  const number = record.doc.externalId
  await openTask(tx, {
    kind: 'parcel.storeClosed',
    key: taskKey(record.id),
    orderId: record.id,
    connection: parcel?.courier ?? null,
    subject: number,
    title: 'The pickup store is closed, and no other is chosen',
    detail: hasLeft
      ? `Waybill ${parcel.waybill ?? parcel.reference} of order ${number} is on its way to store ${closed.storeId}, which is closed. Without another store the courier brings it back.`
      : `The parcel of order ${number} goes to store ${closed.storeId}, which is closed. Its goods are packed and stay held.`,
    remedy: `Ask the customer for another store of the chain and enter it: change '{"delivery":{"cvs":{"chain":"${record.doc.delivery.cvs?.chain}","storeId":"STORE"}}}'.${hasLeft ? ' Or let it come back (skip): it is received and put on sale again like one that nobody collected.' : ' Or cancel the order.'}`,
    field: 'delivery.cvs',
    value: closed.storeId,
    actions: hasLeft ? ['change', 'skip'] : ['change', 'cancel'],
  })
}
