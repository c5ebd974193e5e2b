/** What a person does at a task about a return. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { DISPOSITIONS, type Disposition } from '../../domain/returns.ts'
import { readReturn } from '../../store/returns.ts'
import type { Task } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { decideReturn } from './ask.ts'
import { bookReturnAgain } from './book.ts'
import { inspectAll } from './inspect.ts'
import { refundByPerson } from './money.ts'
import { receiveReturn } from './receive.ts'

const KEY = /^return:(rt-[0-9a-f]{16}):/
const Detail = z.looseObject({ location: z.string().optional(), amountMinor: z.coerce.number().int().positive().optional() })

export const isReturnTask = (task: Pick<Task, 'key'>): boolean => KEY.test(task.key)

const isDisposition = (action: string): action is Disposition => (DISPOSITIONS as readonly string[]).includes(action)

/** @returns what was done, in words. @throws OmnisagaError when it cannot be done now; the task then stays open. */
export async function settleReturnTask(
  runtime: Runtime,
  task: Pick<Task, 'key'>,
  action: string,
  detail: Record<string, unknown>,
  who: string,
): Promise<string> {
  const id = KEY.exec(task.key)?.[1] ?? ''
  const { location, amountMinor } = Detail.parse(detail)
  if (action === 'approve' || action === 'refuse' || action === 'cancel') {
    const { state } = await decideReturn(runtime, id, action, who)
    return `the return is ${state}`
  }
  if (action === 'received') {
    const expected = (await readReturn(runtime.pool, id)).location
    const row = await receiveReturn(runtime, id, { location: location ?? expected ?? '', lines: null }, who)
    return `received at ${row.location}`
  }
  if (action === 'retry') {
    await bookReturnAgain(runtime, id)
    return 'it is booked once more'
  }
  if (action === 'refund') return await refundByPerson(runtime, id, amountMinor ?? null)
  if (isDisposition(action)) {
    await inspectAll(runtime, id, action, who)
    return `all of it: ${action}`
  }
  if (action === 'skip' || action === 'done') return 'settled by a person'
  throw new OmnisagaError('Invalid', `${action} is not known at a return`)
}
