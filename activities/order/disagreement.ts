/** The channel asks for what cannot be done any more: a person hears both sides. */
import { z } from 'zod'
import { moneyText } from '../../domain/money.ts'
import { phaseOf } from '../../domain/phase.ts'
import type { Command } from '../../store/commands.ts'
import type { Queryable, Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import { shipped } from './refusal.ts'

const KEY = 'disagree:'
export const disagreementKey = (commandId: string): string => KEY + commandId

/** The command that a task of ours is about; null for any other task. */
export async function changeOfTask(db: Queryable, taskId: number | null): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(
    `select c.id from tasks t join commands c on t.key = $2 || c.id and c.order_id = t.order_id where t.id = $1 and c.verb = 'change'`,
    [taskId, KEY],
  )
  return rows[0]?.id ?? null
}

/** A change of goods brings its amount along: both, where they differ. */
function amountsOf({ doc: { payment } }: OrderRecord, { detail }: Command): string {
  const { amountDueMinor: asked } = z.looseObject({ amountDueMinor: z.number().optional() }).parse(detail.payment ?? {})
  if (asked === undefined || asked === payment.amountDueMinor) return ''
  const money = (minor: number) => moneyText(minor, payment.currency)
  return ` ${money(payment.amountDueMinor)} stays due; the channel expects ${money(asked)}.`
}

export async function tellOfDisagreement(record: OrderRecord, tx: Tx, command: Command, reason: string): Promise<void> {
  // What was to be changed, not to what: no personal data.
  const named = command.verb === 'change' ? Object.keys(command.detail).join(', ') : ''
  const canBeRecalled = command.verb === 'change' && record.is('changeRefused') && !shipped(record)
  await openTask(tx, {
    kind: `${command.verb}.refused`,
    key: disagreementKey(command.id),
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: `The channel asks to ${command.verb}, but ${reason}`,
    detail: `${command.who} asked to ${command.verb} order ${record.doc.externalId}; here it is ${phaseOf(record.lines, record.facts)}: ${reason}.${named === '' ? '' : ` It was about ${named}.`} Nothing was changed.${amountsOf(record, command)}`,
    remedy: canBeRecalled
      ? 'As long as nothing of it has left, have its goods called back (recall): it is changed and ships anew. Or settle it with the customer and at the channel, then skip.'
      : 'Settle it with the customer and at the channel; have the parcel stopped where that is possible. Then skip.',
    actions: canBeRecalled ? ['recall', 'skip'] : ['skip'],
  })
}
