/** A change that came too late is made after all: its goods are asked back as for a cancellation, then it is changed and ships anew. */
import { getCommand } from '../../store/commands.ts'
import type { Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import { reviseSales } from '../../store/owed.ts'
import { closeTasks } from '../../store/tasks.ts'
import { changeOfTask, disagreementKey, tellOfDisagreement } from './disagreement.ts'
import { learnSkus, Patch, patched, startOver } from './patch.ts'
import { Refusal, shipped, type Obedience } from './refusal.ts'

/** The verb: of the change that its task is about, else of the last that was refused. */
export const recall: Obedience = async (record, tx, { who, taskId }) => {
  if (record.is('cancelRequested') || record.is('cancelled')) throw new Refusal(`it ${whyCalledBack(record)}`)
  if (shipped(record)) throw new Refusal('a parcel of it is with the courier or delivered')
  const last = record.facts.changeRefused?.command
  if (typeof last !== 'string') throw new Refusal('no change of it came too late: say what is to be changed')
  return callBack(record, (await changeOfTask(tx, taskId)) ?? last, who)
}

export function callBack(record: OrderRecord, change: string, who: string): string {
  record.record('cancelRequested', { by: who, reason: 'called back to be changed', change })
  record.changeCourse()
  return 'its goods are called back; then it is changed and ships anew'
}

/** The command that is made once the goods are back; null: they are asked back to be cancelled, or not at all. */
export const changeAwaited = ({ facts }: OrderRecord): string | null => {
  const change = facts.cancelRequested?.change
  return typeof change === 'string' ? change : null
}

/** Why its goods are asked back, as the end of `Order X …`. */
export const whyCalledBack = (record: OrderRecord): string =>
  changeAwaited(record) === null ? 'is being cancelled' : 'is called back to be changed'

export async function patchOf(tx: Tx, commandId: string): Promise<Omit<Patch, 'recall'>> {
  const { recall: _recall, ...patch } = Patch.parse((await getCommand(tx, commandId))?.detail ?? {})
  return patch
}

/** The goods are back, and nothing of it left. */
export async function changeAfterRecall(tx: Tx, record: OrderRecord, commandId: string): Promise<void> {
  const patch = await patchOf(tx, commandId)
  const stays = record.is('confirmed') && patch.lines === undefined && patch.payment === undefined
  record.withdraw('cancelRequested', 'undoFailed')
  if (record.facts.changeRefused?.command === commandId) record.withdraw('changeRefused')
  for (const line of record.lines) line.picked = line.packed = 0
  if (patch.skus !== undefined) await learnSkus(tx, record, patch.skus)
  record.doc = patched(record.doc, patch)
  await startOver(tx, record, patch.lines)
  if (stays) record.record('confirmed')
  record.withdraw('checked', 'blocked')
  await closeTasks(tx, { key: disagreementKey(commandId) }, 'it was called back and changed')
  record.changeCourse()
  await reviseSales(tx, record)
}

/** Nothing is asked back any more. A channel that asked still sees it otherwise: a person hears of it again. */
export async function goOnAsItWas(tx: Tx, record: OrderRecord): Promise<void> {
  const change = changeAwaited(record)
  record.withdraw('cancelRequested', 'undoFailed')
  record.changeCourse()
  await closeTasks(tx, { prefix: `order:${record.id}:recall:` }, 'let go')
  const asked = change === null ? null : await getCommand(tx, change)
  if (asked?.who.startsWith('channel:')) await tellOfDisagreement(record, tx, asked, 'its goods were not given back')
}
