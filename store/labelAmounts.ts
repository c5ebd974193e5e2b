/** A task as soon as the labels of an order collect another amount than is due for it; closed as soon as they do not. */
import type { FactName } from '../domain/facts.ts'
import { labelsOff, labelsToRemake, type Labelled, type LabelsOf, type LabelsOff } from '../domain/labels.ts'
import { moneyText } from '../domain/money.ts'
import type { IncomingOrder } from '../domain/order.ts'
import type { Queryable } from './db.ts'
import { closeTasks, openTask, type NewTask } from './tasks.ts'

/** Of an order's record (store/orderRecord.ts). */
interface Order {
  id: string
  connection: string
  doc: Pick<IncomingOrder, 'payment' | 'externalId'>
  units: LabelsOf['units']
  parcels: (Labelled & { waybill: string | null; reference: string })[]
  is(fact: FactName): boolean
  view(): { missing: number }
}
interface Wrong extends LabelsOff {
  /** Waybills that can be made anew. */
  remade: string[]
  /** One of them the courier does not cancel by a call. */
  byHand: boolean
}

const keyOf = (orderId: string): string => `order:${orderId}:amount`

/** Kept with the task: what was settled for these amounts is settled for no others. */
const bothOf = ({ due, onLabels }: LabelsOff): string => `${onLabels}/${due}`

/** @returns null while the order is being given up: nothing is to be collected for it. */
export function labelsOffOf(record: Order): Wrong | null {
  if (record.parcels.length === 0 || record.is('cancelRequested') || record.is('cancelled')) return null
  const off = labelsOff({ ...record, payment: record.doc.payment, missing: record.view().missing })
  if (off === null) return null
  const remade = labelsToRemake(record.parcels, off)
  return {
    ...off,
    remade: remade.map(({ waybill, reference }) => waybill ?? reference),
    byHand: remade.some(({ rebook }) => rebook === 'refused'),
  }
}

export async function judgeLabels(db: Queryable, record: Order, before: Wrong | null): Promise<void> {
  const now = labelsOffOf(record)
  const key = keyOf(record.id)
  if (now === null) {
    if (before !== null) await closeTasks(db, { key }, 'the labels collect what is due')
    return
  }
  const isNews = before === null || bothOf(before) !== bothOf(now) || (now.byHand && !before.byHand)
  // The way to go on may have changed; what a person has settled stays settled.
  const isOther = before?.byHand !== now.byHand || before.remade.join() !== now.remade.join()
  if (isNews || (isOther && (await isOpen(db, key)))) await openTask(db, labelTask(record, now))
}

const isOpen = async (db: Queryable, key: string): Promise<boolean> =>
  (await db.query(`select from tasks where key = $1 and state = 'open'`, [key])).rowCount !== 0

/** A person has said that the difference between just these amounts is settled. */
export async function isSettled(db: Queryable, orderId: string, off: LabelsOff): Promise<boolean> {
  const { rows } = await db.query<{ isSettled: boolean }>(
    `select state = 'done' and value = $2 and starts_with(outcome, 'skip') as "isSettled" from tasks where key = $1 order by id desc limit 1`,
    [keyOf(orderId), bothOf(off)],
  )
  return rows[0]?.isSettled ?? false
}

function labelTask(record: Order, { due, onLabels, remade, byHand }: Wrong): NewTask {
  const money = (minor: number) => moneyText(minor, record.doc.payment.currency)
  const named = remade.join(', ')
  const [state, remedy] =
    remade.length === 0
      ? ['The parcel has left with it.', 'Tell the courier the amount, or pay the customer back; then skip.']
      : byHand
        ? [
            `It is not printed meanwhile. The courier does not cancel ${named} by a call.`,
            `Cancel ${named} at the courier by hand, then rebook: it is booked anew with the right amount. Or settle the difference with the customer and skip: it goes as it is.`,
          ]
        : [
            `It is not printed meanwhile: ${named}.`,
            'Rebook: its booking is cancelled and made anew with the right amount; change the label on the box. Or settle the difference with the customer and skip: it goes as it is.',
          ]
  return {
    kind: 'label.amount',
    key: keyOf(record.id),
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'A label would collect the wrong amount',
    detail: `The labels of order ${record.doc.externalId} collect ${money(onLabels)}, and ${money(due)} is due. ${state}`,
    remedy,
    field: 'amountDueMinor',
    value: bothOf({ due, onLabels }),
    actions: remade.length === 0 ? ['skip'] : ['rebook', 'skip', 'cancel'],
  }
}
