/**
 * Commands: what people and channels ask, judged against the facts under the order's lock, in the order in which it was asked.
 * What each verb does stands in verbs.ts.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import type { OrderView } from '../../domain/view.ts'
import { answerCommand, getCommand, waitingCommands, type Verb } from '../../store/commands.ts'
import type { Tx } from '../../store/db.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { closeTasks } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { tellOfDisagreement } from './disagreement.ts'
import { Refusal, TooLate } from './refusal.ts'
import { verbs } from './verbs.ts'

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

/** A voucher that is scanned twice hears that it was used. */
const AFTER_THE_CLOSE: ReadonlySet<Verb> = new Set(['restocked', 'skip', 'collected'])

/** All that is asked and not answered yet, in the order in which it was asked. */
export async function obeyWaiting(record: OrderRecord, tx: Tx): Promise<void> {
  for (const command of await waitingCommands(tx, record.id)) {
    const goBack = record.remember()
    await tx.query('savepoint command')
    try {
      if (record.closed && !AFTER_THE_CLOSE.has(command.verb)) throw new Refusal(`the order is finished (${record.phase})`)
      if (command.taskId !== null) await refuseOfClosed(tx, command.taskId)
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
      if (error instanceof TooLate) {
        record.withdraw('changeRefused')
        record.record('changeRefused', { command: command.id })
      }
      if (command.who.startsWith('channel:')) await tellOfDisagreement(record, tx, command, reason)
    }
  }
}

/** Two people at one task: the second hears who was first, and does not do it again. */
async function refuseOfClosed(tx: Tx, taskId: number): Promise<void> {
  const { rows } = await tx.query<{ who: string | null; outcome: string | null }>(
    `select closed_by as who, outcome from tasks where id = $1 and state = 'done'`,
    [taskId],
  )
  const [closed] = rows
  if (closed) throw new Refusal(`task ${taskId} was closed by ${closed.who ?? 'somebody'}: ${closed.outcome ?? 'done'}`)
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
