/** The verb `change`: other goods, another address, another way of delivery, as long as nobody is working on it. */
import { z } from 'zod'
import { Address, Buyer, Delivery, OrderLine, Payment, Recipient, Totals } from '../../domain/order.ts'
import type { Tx } from '../../store/db.ts'
import { release } from '../../store/ledger/operations.ts'
import { insertLines } from '../../store/orders.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { reviseSales } from '../../store/owed.ts'
import { closeTasks } from '../../store/tasks.ts'
import { bookRefusedAgain } from './bookAgain.ts'
import { chooseStore, storeIsSettled } from './closedStore.ts'
import { atWarehouse, Refusal, shipped, type Obedience } from './refusal.ts'
import { addressIsCorrected } from './wrongAddress.ts'

const Patch = z.strictObject({
  buyer: Buyer.partial().optional(),
  recipient: Recipient.partial().extend({ address: Address.partial().nullable().optional() }).optional(),
  delivery: Delivery.partial().optional(),
  payment: Payment.partial().optional(),
  totals: Totals.partial().optional(),
  lines: z.array(OrderLine).min(1).optional(),
  notes: z.string().nullable().optional(),
  /** Says what a line's article is called here: `{"lineId": "sku"}`; remembered for the channel. */
  skus: z.record(z.string(), z.string()).optional(),
  customs: z.object({ invoiceNumber: z.string(), hsCodes: z.array(z.string()).min(1) }).optional(),
  /** What the warehouse has is called back first. Alone: for the change that was refused last. */
  recall: z.boolean().optional(),
})
/** Before the goods are being picked; afterwards an order is cancelled or completed, not changed. */
export const change: Obedience = async (record, tx, { id, detail, who }) => {
  const { recall, ...patch } = Patch.parse(detail)
  if (record.is('cancelRequested') || record.is('cancelled')) throw new Refusal('it is being cancelled')
  const store = patch.delivery?.cvs
  if (store && record.is('storeClosed') && names(patch, 'delivery')) return await chooseStore(tx, record, store)
  if (record.is('wrongAddress') && names(patch, 'recipient')) {
    applyPatch(record, patch)
    return await addressIsCorrected(tx, record)
  }
  const onlyAfterRefusal =
    record.units.every((unit) => unit.state === 'packed' && ['refused', 'void', undefined].includes(record.parcelOf(unit.id)?.state)) &&
    record.units.length > 0 &&
    patch.lines === undefined
  if (shipped(record)) throw new Refusal('a parcel of it is with the courier or delivered')
  if (recall === true && atWarehouse(record)) return await callBack(record, tx, Object.keys(patch).length > 0 ? id : null, who)
  if (atWarehouse(record) && !onlyAfterRefusal) throw new Refusal('the warehouse is already working on it')
  if (patch.skus !== undefined) await learnSkus(tx, record, patch.skus)
  applyPatch(record, patch)
  if (patch.delivery !== undefined) await storeIsSettled(tx, record, 'it is delivered another way')
  const goodsMove =
    patch.lines !== undefined ||
    patch.skus !== undefined ||
    patch.delivery?.location !== undefined ||
    patch.delivery?.method !== undefined
  if (onlyAfterRefusal) await bookRefusedAgain(tx, record)
  else if (goodsMove) await startOver(tx, record, patch.lines)
  if (patch.payment !== undefined && record.doc.payment.method === 'cod' && !who.startsWith('channel:'))
    record.withdraw('confirmed')
  record.withdraw('checked', 'blocked')
  record.changeCourse()
  await reviseSales(tx, record)
  return 'changed'
}

/** The goods are asked back as for a cancellation; once they are back the order is changed and ships anew. */
async function callBack(record: OrderRecord, tx: Tx, commandId: string | null, who: string): Promise<string> {
  const { rows } = await tx.query<{ id: string }>(
    `select id from commands where order_id = $1 and verb = 'change' and ($2::text is null and state = 'refused' or id = $2)
     order by serial desc limit 1`,
    [record.id, commandId],
  )
  const [wanted] = rows
  if (wanted === undefined) throw new Refusal('no change of it was refused: say what is to be changed')
  record.record('cancelRequested', { by: who, reason: 'called back to be changed', change: wanted.id })
  record.changeCourse()
  return 'its goods are called back; then it is changed and ships anew'
}

/** The goods are back, and nothing of it left. */
export async function changeAfterRecall(tx: Tx, record: OrderRecord, commandId: string): Promise<void> {
  const { rows } = await tx.query<{ detail: Record<string, unknown> }>('select detail from commands where id = $1', [commandId])
  const { recall: _recall, ...patch } = Patch.parse(rows[0]?.detail ?? {})
  const stays = record.is('confirmed') && patch.lines === undefined && patch.payment === undefined
  record.withdraw('cancelRequested', 'undoFailed')
  for (const line of record.lines) line.picked = line.packed = 0
  if (patch.skus !== undefined) await learnSkus(tx, record, patch.skus)
  applyPatch(record, patch)
  await startOver(tx, record, patch.lines)
  if (stays) record.record('confirmed')
  record.withdraw('checked', 'blocked')
  await closeTasks(tx, { key: `disagree:${commandId}` }, 'it was called back and changed')
  record.changeCourse()
  await reviseSales(tx, record)
}

/** Whether it is about nothing else. */
const names = (patch: z.infer<typeof Patch>, field: keyof z.infer<typeof Patch>): boolean =>
  Object.keys(patch).every((key) => key === field)

function applyPatch(record: OrderRecord, patch: z.infer<typeof Patch>): void {
  const { doc } = record
  const recipient = { ...doc.recipient, ...patch.recipient }
  const address = patch.recipient?.address
  record.doc = {
    ...doc,
    buyer: { ...doc.buyer, ...patch.buyer },
    recipient: {
      ...recipient,
      address:
        address === undefined
          ? doc.recipient.address
          : address === null
            ? null
            : { ...emptyAddress, ...doc.recipient.address, ...address },
    },
    delivery: { ...doc.delivery, ...patch.delivery },
    payment: { ...doc.payment, ...patch.payment },
    totals: { ...doc.totals, ...patch.totals },
    notes: patch.notes === undefined ? doc.notes : patch.notes,
    customs: patch.customs ?? doc.customs,
  }
}

const emptyAddress: Address = { postalCode: null, city: null, district: null, line: null, raw: null, country: null }

async function learnSkus(tx: Tx, record: OrderRecord, skus: Record<string, string>): Promise<void> {
  for (const [lineId, sku] of Object.entries(skus)) {
    const line = record.lines.find((candidate) => candidate.lineId === lineId)
    if (line === undefined)
      throw new Refusal(`there is no line ${lineId}; lines are ${record.lines.map((l) => l.lineId).join(', ')}`)
    const told = line.sku ?? line.externalSku
    line.sku = sku
    if (told !== null && told !== sku) {
      await tx.query(
        `insert into sku_aliases (channel, external_sku, sku) values ($1, $2, $3) on conflict (channel, external_sku) do update set sku = excluded.sku`,
        [record.doc.channel, told, sku],
      )
    }
  }
}

/** The goods change: what was held and planned is undone, and the saga begins again at the check. */
async function startOver(tx: Tx, record: OrderRecord, lines: OrderLine[] | undefined): Promise<void> {
  await release(tx, { orderId: record.id })
  for (const unit of record.units) unit.state = 'cancelled'
  record.withdraw('reserved', 'routed', 'shortage', 'confirmed', 'confirmAsked', 'handedToWarehouse')
  for (const about of ['pick:', 'missing', 'route', 'stock', 'confirm'])
    await closeTasks(tx, { prefix: `order:${record.id}:${about}` }, 'the order was changed')
  if (lines === undefined) {
    for (const line of record.lines) line.held = 0
    return
  }
  await replaceLines(tx, record, lines)
}

/** Nothing of the old lines is held, picked or shipped. */
export async function replaceLines(tx: Tx, record: OrderRecord, lines: OrderLine[]): Promise<void> {
  await tx.query('delete from order_lines where order_id = $1', [record.id])
  await insertLines(tx, record.id, lines)
  record.lines = lines.map((line) => ({
    lineId: line.lineId,
    sku: line.sku,
    externalSku: line.externalSku,
    name: line.name,
    variant: line.variant,
    unitPriceMinor: line.unitPriceMinor,
    gift: line.gift,
    ordered: line.quantity,
    held: 0,
    picked: 0,
    packed: 0,
    shipped: 0,
    delivered: 0,
    returned: 0,
    cancelled: 0,
  }))
}
