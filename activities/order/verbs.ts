/** The verbs: each either changes what is true (and wakes or turns the saga), or is refused with the reason. */
import { z } from 'zod'
import { labelsToRemake } from '../../domain/labels.ts'
import { isPaid } from '../../domain/paid.ts'
import { settleAppointment } from '../../store/appointments.ts'
import type { Command, Verb } from '../../store/commands.ts'
import type { Tx } from '../../store/db.ts'
import { keepAside } from '../../store/ledger/operations.ts'
import { keepEvidence } from '../../store/evidence.ts'
import { labelsOffOf } from '../../store/labelAmounts.ts'
import { closeTasks } from '../../store/tasks.ts'
import { useVoucher } from '../../store/vouchers.ts'
import { exchangeLines } from '../store/exchange.ts'
import { voucherShown } from '../store/vouchers.ts'
import { openCampaign } from '../campaigns/standing.ts'
import { payBackDifference } from '../refund.ts'
import { restockUnit } from '../returns/cameBack.ts'
import { bookAgain, bookRefusedAgain } from './bookAgain.ts'
import { change } from './change.ts'
import { confirmNow } from './confirm.ts'
import { changeAwaited, goOnAsItWas, recall } from './recall.ts'
import { Refusal, shipped, type Obedience } from './refusal.ts'
import { reroute } from './reroute.ts'
import { collected } from './route.ts'
import { customerCame, keepOnly, lowerAmounts, rememberPaid } from './tryOn.ts'

const Keep = z.strictObject({
  keep: z.record(z.string(), z.number().int().nonnegative()),
  exchange: z.record(z.string(), z.string()).default({}),
})
const Confirm = z.looseObject({
  evidence: z
    .object({ kind: z.enum(['signature', 'code']), reference: z.string(), person: z.string(), at: z.string() })
    .optional(),
})
const Shown = z.looseObject({ unitId: z.string().optional(), code: z.string().optional(), location: z.string().optional() })
const OfUnit = z.looseObject({ unitId: z.string() })

export const verbs: Record<Verb, Obedience> = {
  async confirm(record, tx, { id, who, detail }) {
    const { evidence } = Confirm.parse(detail)
    if (evidence !== undefined) await keepEvidence(tx, record, { id, by: who, ...evidence })
    if (record.is('confirmed')) return 'it was confirmed already'
    if (!record.is('reserved')) throw new Refusal('its goods are not reserved yet')
    if (record.doc.kind === 'tryOn' && !record.is('tryOnDecided'))
      throw new Refusal('the customer has not decided yet what to keep')
    if (record.doc.onHold === true) throw new Refusal('the channel has not released it')
    const campaign = await openCampaign(tx, record)
    if (campaign !== null) throw new Refusal(`its group-buy ${campaign} is still open`)
    await confirmNow(tx, record, who)
    record.wake()
    return 'confirmed'
  },

  async paid(record) {
    if (isPaid(record.doc.payment)) return 'it was paid already'
    const collecting = record.parcels.find((parcel) => parcel.amountDueMinor > 0 && !['refused', 'void'].includes(parcel.state))
    if (collecting !== undefined)
      throw new Refusal(`the label of parcel ${collecting.id} collects cash from the customer already`)
    const payment = { ...record.doc.payment, state: 'paid' as const, amountDueMinor: 0, method: 'prepaid' as const }
    record.doc = { ...record.doc, payment, paidHere: true }
    record.changeCourse()
    return 'paid'
  },

  async cancel(record, _tx, { who, detail }) {
    const isCalledBackToChange = changeAwaited(record) !== null
    if (record.is('cancelled') || (record.is('cancelRequested') && !isCalledBackToChange)) return 'it is being cancelled already'
    if (shipped(record)) throw new Refusal('a parcel of it is with the courier or delivered; use a return')
    if (isCalledBackToChange) record.withdraw('cancelRequested')
    record.record('cancelRequested', { by: who, reason: String(detail.reason ?? '') })
    record.changeCourse()
    return 'it is being cancelled'
  },

  change,

  recall,

  async arrived(record, tx) {
    if (!record.is('tryOnHeld')) throw new Refusal('it is not a try-on that waits for its customer')
    if (record.is('tryOnDecided')) throw new Refusal('it is decided already')
    await customerCame(record, tx)
    await settleAppointment(tx, record.id, 'arrived')
    record.wake()
    return 'the customer is here, the goods are kept aside'
  },

  async decide(record, tx, { detail }) {
    const { keep, exchange } = Keep.parse(detail)
    if (!record.is('tryOnHeld')) throw new Refusal('it is not a try-on that waits for its customer')
    if (record.is('tryOnDecided')) throw new Refusal('it is decided already')
    for (const [lineId, quantity] of Object.entries(keep)) {
      const line = record.lines.find((candidate) => candidate.lineId === lineId)
      if (line === undefined)
        throw new Refusal(`there is no line ${lineId}; lines are ${record.lines.map((l) => l.lineId).join(', ')}`)
      if (quantity > line.ordered - line.cancelled)
        throw new Refusal(`line ${lineId} has ${line.ordered - line.cancelled} pieces, not ${quantity}`)
    }
    rememberPaid(record)
    const kept = new Map(Object.entries(keep))
    await exchangeLines(tx, record, kept, exchange)
    await keepOnly(tx, record, kept, 'decided')
    await closeTasks(tx, { key: `order:${record.id}:tryOn` }, 'decided')
    record.changeCourse()
    return record.is('cancelled') ? 'nothing is kept, everything is on sale again' : 'decided'
  },

  async collected(record, tx, { who, detail }) {
    const shown = Shown.parse(detail)
    const voucher = shown.code === undefined ? undefined : await voucherShown(tx, record, { ...shown, code: shown.code })
    const overTheCounter = ['storePickup', 'handOver'].includes(record.doc.delivery.method)
    const waiting = record.units.filter((unit) => unit.state === 'packed' && overTheCounter)
    const unitId = voucher?.unitId ?? shown.unitId
    const units = waiting.filter((unit) => unitId === undefined || unit.id === unitId)
    if (units.length === 0) throw new Refusal('nothing of it waits to be collected')
    for (const unit of units) {
      await collected(tx, record, unit.id)
      await useVoucher(tx, unit.id, who)
    }
    await record.closeTasks(tx, { prefix: `order:${record.id}:pickup:` }, 'handed over')
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

  /** Look again at whatever the order waits for; what a courier refused is booked once more, at once. */
  async retry(record, tx) {
    await bookRefusedAgain(tx, record)
    record.withdraw('blocked')
    record.changeCourse()
    return 'being tried again'
  },

  reroute,

  /** What the warehouse did not find is no longer owed. */
  async shipWithout(record, tx) {
    // Before it is routed no unit carries anything, and all of it would seem missing.
    const missing = record.is('routed') ? record.lines.filter((line) => record.missingOf(line) > 0) : []
    if (missing.length === 0) throw new Refusal('nothing of it is missing')
    rememberPaid(record)
    for (const line of missing) {
      const quantity = record.missingOf(line)
      line.cancelled += quantity
      lowerAmounts(record, quantity * (line.unitPriceMinor ?? 0))
    }
    await closeTasks(tx, { key: `order:${record.id}:missing` }, 'shipped without')
    if (record.lines.every((line) => line.cancelled === line.ordered))
      record.record('cancelled', { reason: 'nothing of it was found' })
    await payBackDifference(tx, record, { key: `without/${record.course}`, reason: 'not found in the warehouse' })
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
    await goOnAsItWas(tx, record)
    return 'it goes on'
  },

  /** The label collects the wrong amount: its booking is cancelled, at the courier or, where that takes no call, by the person who says so. */
  async rebook(record, tx) {
    const off = labelsOffOf(record)
    const remade = off === null ? [] : labelsToRemake(record.parcels, off)
    if (remade.length === 0) throw new Refusal('no label that could be made anew collects a wrong amount')
    for (const parcel of remade) {
      if (parcel.rebook === 'refused') parcel.state = 'void'
      await bookAgain(tx, record, parcel)
    }
    record.changeCourse()
    return 'the label is being made anew'
  },

  /** Goods that came back are on the shelf again. */
  async restocked(record, tx, { who }) {
    const returned = record.units.filter((unit) => unit.state === 'returned')
    if (returned.length === 0) throw new Refusal('nothing of it came back')
    for (const unit of returned) await restockUnit(tx, record, unit, who)
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
