/**
 * Commands: what people and channels ask, judged against the facts under the order's lock. Each verb either changes what is
 * true (and wakes or turns the saga), or is refused with the reason.
 */
import { Address, Buyer, Delivery, OrderLine, Payment, Recipient, Totals } from '../../domain/order.ts'
import type { OrderView } from '../../domain/view.ts'
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { answerCommand, getCommand, waitingCommands, type Command, type Verb } from '../../store/commands.ts'
import type { Tx } from '../../store/db.ts'
import { keepAside, move, release } from '../../store/ledger/operations.ts'
import { insertLines } from '../../store/orders.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { confirmNow } from './confirm.ts'
import { collected } from './route.ts'
import { keepOnly, lowerAmounts } from './tryOn.ts'

/** Why not, in plain words. */
class Refusal extends Error {}

type Obedience = (record: OrderRecord, tx: Tx, command: Command) => Promise<string>

export async function obey(
  runtime: Runtime,
  orderId: string,
  commandId: string,
): Promise<{ view: OrderView; state: 'done' | 'refused'; answer: string }> {
  const { view } = await changeOrder(runtime.pool, orderId, 'saga', (record, tx) => obeyWaiting(record, tx))
  const command = await getCommand(runtime.pool, commandId)
  if (command === null || command.state === 'waiting')
    throw new OmnisagaError('Transient', `command ${commandId} is not answered yet`)
  return { view, state: command.state, answer: command.answer ?? '' }
}

/** All that is asked and not answered yet, in the order in which it was asked. */
export async function obeyWaiting(record: OrderRecord, tx: Tx): Promise<void> {
  for (const command of await waitingCommands(tx, record.id)) {
    const goBack = record.remember()
    await tx.query('savepoint command')
    try {
      if (record.closed && command.verb !== 'restocked' && command.verb !== 'skip')
        throw new Refusal(`the order is finished (${record.phase})`)
      const answer = await verbs[command.verb](record, tx, command)
      await answerCommand(tx, command.id, 'done', answer)
      if (command.taskId !== null) await closeTasks(tx, { id: command.taskId }, `${command.verb}: ${answer}`, command.who)
    } catch (error) {
      const reason = whyRefused(error)
      if (reason === null) throw error
      // What it had done so far is undone; one command that cannot be obeyed must not hold up what is asked after it.
      await tx.query('rollback to savepoint command')
      goBack()
      await answerCommand(tx, command.id, 'refused', reason)
      if (command.who.startsWith('channel:')) await tellOfDisagreement(record, tx, command, reason)
    }
  }
}

/** @returns null for what is not the command's own fault: it is then obeyed another time. */
function whyRefused(error: unknown): string | null {
  if (error instanceof Refusal) return error.message
  if (error instanceof z.ZodError) return z.prettifyError(error)
  if (error instanceof OmnisagaError && error.kind === 'Invalid') return [error.message, error.remedy].filter(Boolean).join(': ')
  // Data exception, integrity constraint: https://www.postgresql.org/docs/current/errcodes-appendix.html (classes 22 and 23)
  if (/^2[23]/.test(String((error as { code?: unknown }).code ?? ''))) return 'it says what cannot be stored'
  return null
}

/** The channel says one thing, the parcel's way another: a person hears both sides. */
async function tellOfDisagreement(record: OrderRecord, tx: Tx, command: Command, reason: string): Promise<void> {
  await openTask(tx, {
    kind: `${command.verb}.refused`,
    key: `disagree:${command.id}`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: `The channel asks to ${command.verb}, but ${reason}`,
    detail: `${command.who} asked to ${command.verb} order ${record.doc.externalId}; here it is ${record.phase}: ${reason}.`,
    remedy: 'Settle it with the customer and at the channel; recall the parcel by hand where that is possible.',
    actions: ['skip'],
  })
}

const shipped = (record: OrderRecord) =>
  record.parcels.some((parcel) => ['shipped', 'delivered', 'returning', 'returned'].includes(parcel.state)) ||
  record.lines.some((line) => line.shipped > 0)
const atWarehouse = (record: OrderRecord) =>
  record.units.some((unit) => ['handedOver', 'picked', 'packed', 'recalling'].includes(unit.state))

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
})
const Keep = z.strictObject({ keep: z.record(z.string(), z.number().int().nonnegative()) })
const OfUnit = z.looseObject({ unitId: z.string() })

const verbs: Record<Verb, Obedience> = {
  async confirm(record, tx, { who }) {
    if (record.is('confirmed')) return 'it was confirmed already'
    if (!record.is('reserved')) throw new Refusal('its goods are not reserved yet')
    if (record.doc.kind === 'tryOn' && !record.is('tryOnDecided'))
      throw new Refusal('the customer has not decided yet what to keep')
    if (record.doc.onHold === true) throw new Refusal('the channel has not released it')
    await confirmNow(tx, record, who)
    record.wake()
    return 'confirmed'
  },

  async paid(record) {
    const collecting = record.parcels.find((parcel) => parcel.amountDueMinor > 0 && !['refused', 'void'].includes(parcel.state))
    if (collecting !== undefined)
      throw new Refusal(`the label of parcel ${collecting.id} collects cash from the customer already`)
    record.doc = { ...record.doc, payment: { ...record.doc.payment, state: 'paid', amountDueMinor: 0, method: 'prepaid' } }
    record.changeCourse()
    return 'paid'
  },

  async cancel(record, _tx, { who, detail }) {
    if (record.is('cancelled') || record.is('cancelRequested')) return 'it is being cancelled already'
    if (shipped(record)) throw new Refusal('a parcel of it is with the courier or delivered; use a return')
    record.record('cancelRequested', { by: who, reason: String(detail.reason ?? '') })
    record.changeCourse()
    return 'it is being cancelled'
  },

  /** Before the goods are being picked; afterwards an order is cancelled or completed, not changed. */
  async change(record, tx, { detail, who }) {
    const patch = Patch.parse(detail)
    if (record.is('cancelRequested') || record.is('cancelled')) throw new Refusal('it is being cancelled')
    const onlyAfterRefusal =
      record.units.every((unit) => unit.state === 'packed' && ['refused', undefined].includes(record.parcelOf(unit.id)?.state)) &&
      record.units.length > 0 &&
      patch.lines === undefined
    if (shipped(record)) throw new Refusal('a parcel of it is with the courier or delivered')
    if (atWarehouse(record) && !onlyAfterRefusal) throw new Refusal('the warehouse is already working on it')
    if (patch.skus !== undefined) await learnSkus(tx, record, patch.skus)
    applyPatch(record, patch)
    const goodsMove =
      patch.lines !== undefined ||
      patch.skus !== undefined ||
      patch.delivery?.location !== undefined ||
      patch.delivery?.method !== undefined
    if (goodsMove && !onlyAfterRefusal) await startOver(tx, record, patch.lines)
    if (patch.payment !== undefined && record.doc.payment.method === 'cod' && !who.startsWith('channel:'))
      record.withdraw('confirmed')
    record.withdraw('checked', 'blocked')
    record.changeCourse()
    return 'changed'
  },

  async arrived(record, tx) {
    if (!record.is('tryOnHeld')) throw new Refusal('it is not a try-on that waits for its customer')
    if (record.is('tryOnDecided')) throw new Refusal('it is decided already')
    await keepAside(tx, { orderId: record.id })
    record.record('tryOnArrived')
    record.wake()
    return 'the customer is here, the goods are kept aside'
  },

  async decide(record, tx, { detail }) {
    const { keep } = Keep.parse(detail)
    if (!record.is('tryOnHeld')) throw new Refusal('it is not a try-on that waits for its customer')
    if (record.is('tryOnDecided')) throw new Refusal('it is decided already')
    for (const [lineId, quantity] of Object.entries(keep)) {
      const line = record.lines.find((candidate) => candidate.lineId === lineId)
      if (line === undefined)
        throw new Refusal(`there is no line ${lineId}; lines are ${record.lines.map((l) => l.lineId).join(', ')}`)
      if (quantity > line.ordered - line.cancelled)
        throw new Refusal(`line ${lineId} has ${line.ordered - line.cancelled} pieces, not ${quantity}`)
    }
    await keepOnly(tx, record, new Map(Object.entries(keep)), 'decided')
    await closeTasks(tx, { key: `order:${record.id}:tryOn` }, 'decided')
    record.changeCourse()
    return record.is('cancelled') ? 'nothing is kept, everything is on sale again' : 'decided'
  },

  async collected(record, tx, { detail }) {
    const overTheCounter = ['storePickup', 'handOver'].includes(record.doc.delivery.method)
    const waiting = record.units.filter((unit) => unit.state === 'packed' && overTheCounter)
    const unitId = z.looseObject({ unitId: z.string().optional() }).parse(detail).unitId
    const units = waiting.filter((unit) => unitId === undefined || unit.id === unitId)
    if (units.length === 0) throw new Refusal('nothing of it waits to be collected')
    for (const unit of units) await collected(tx, record, unit.id)
    record.wake()
    return 'handed over'
  },

  /** Where a person picks: all pieces of the unit are in the box. */
  async packed(record, tx, command) {
    const unitId = OfUnit.safeParse(command.detail).data?.unitId ?? (await unitOfTask(tx, command))
    const units = unitId === null ? record.units.filter((unit) => unit.state === 'ready') : [record.unit(unitId)]
    if (units.length === 0) throw new Refusal('nothing of it waits to be packed')
    for (const unit of units) {
      if (unit.state !== 'ready') throw new Refusal(`unit ${unit.id} is ${unit.state}`)
      for (const line of unit.lines) {
        record.line(line.lineId).picked += line.quantity
        record.line(line.lineId).packed += line.quantity
        line.picked = line.packed = line.quantity
      }
      unit.state = 'packed'
      await keepAside(tx, { orderId: record.id, lines: unit.lines.map(({ lineId }) => ({ lineId })) })
      await closeTasks(tx, { key: `order:${record.id}:pick:${unit.id}` }, 'packed')
    }
    record.wake()
    return 'packed'
  },

  /** Look again at whatever the order waits for; a refused booking may be tried once more. */
  async retry(record) {
    for (const unit of record.units) {
      const parcel = record.parcelOf(unit.id)
      if (parcel?.state === 'refused') unit.bookingsAllowed = Math.max(unit.bookingsAllowed, parcel.attempt + 1)
    }
    record.withdraw('blocked')
    record.changeCourse()
    return 'being tried again'
  },

  /** What the warehouse did not find is no longer owed. */
  async shipWithout(record, tx) {
    const missing = record.lines.filter((line) => record.missingOf(line) > 0)
    if (missing.length === 0) throw new Refusal('nothing of it is missing')
    for (const line of missing) {
      const quantity = record.missingOf(line)
      line.cancelled += quantity
      lowerAmounts(record, quantity * (line.unitPriceMinor ?? 0))
    }
    await closeTasks(tx, { key: `order:${record.id}:missing` }, 'shipped without')
    if (record.lines.every((line) => line.cancelled === line.ordered))
      record.record('cancelled', { reason: 'nothing of it was found' })
    record.changeCourse()
    return 'the rest goes without it'
  },

  /** A person has the goods back though the warehouse never said so. */
  async recalled(record, tx) {
    const units = record.units.filter((unit) => unit.state === 'recalling')
    if (units.length === 0) throw new Refusal('nothing of it is being recalled')
    for (const unit of units) unit.state = 'cancelled'
    await closeTasks(tx, { prefix: `order:${record.id}:recall:` }, 'the goods are back')
    record.wake()
    return 'the goods are back'
  },

  /** The cancellation came too late and is given up: the order goes on. */
  async letGo(record, tx) {
    if (!record.is('cancelRequested')) throw new Refusal('it is not being cancelled')
    const recalling = record.units.filter((unit) => unit.state === 'recalling')
    const struck = record.units.filter((unit) => unit.state === 'cancelled')
    if (struck.length > 0 && recalling.length === 0 && !shipped(record))
      throw new Refusal('its goods are back on the shelf already')
    for (const unit of recalling) unit.state = unit.lines.some((line) => line.packed > 0) ? 'packed' : 'handedOver'
    record.withdraw('cancelRequested', 'undoFailed')
    await closeTasks(tx, { prefix: `order:${record.id}:recall:` }, 'let go')
    record.changeCourse()
    return 'it goes on'
  },

  /** Goods that came back are on the shelf again. */
  async restocked(record, tx) {
    const returned = record.units.filter((unit) => unit.state === 'returned')
    if (returned.length === 0) throw new Refusal('nothing of it came back')
    for (const unit of returned) {
      await closeTasks(tx, { key: `unit:${unit.id}:returned` }, 'on sale again')
      for (const line of unit.lines.filter((l) => l.packed > 0)) {
        await move(tx, {
          key: `${unit.id}:restocked:${line.lineId}`,
          sku: line.sku,
          location: unit.location,
          quantity: line.packed,
          reason: 'returned',
          reference: unit.id,
        })
      }
    }
    return 'on sale again'
  },

  /** Seen, and nothing more to be done by the machine. */
  async skip() {
    return 'settled by a person'
  },
}

/** The unit that the task which was acted on is about. */
async function unitOfTask(tx: Tx, { taskId }: Command): Promise<string | null> {
  const rows = await tx.query<{ value: string | null }>(`select value from tasks where id = $1 and field = 'unit'`, [taskId])
  return rows.rows[0]?.value ?? null
}

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
