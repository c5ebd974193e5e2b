/** The till that pays back: it knows what it paid by the key, and fails as it is told to. People pay what it does not. */
import { dispatchOutbox } from '../../activities/dispatch.ts'
import type { Runtime } from '../../activities/runtime.ts'
import type { Connector } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { isSettledHere, settleTask } from '../../server/settleTask.ts'
import { closeTasks, listTasks } from '../../store/tasks.ts'

export type AtTill =
  /** The facts owed are told; `lost`: it is paid, and the answer does not come. */
  | { is: 'payBack'; fate: 'ok' | 'lost' | 'down' | 'refuse'; twice: boolean; after: number | null }
  /** A person says how a task about money is settled. */
  | { is: 'byHand'; which: number; twice: boolean }

export interface StandInTill {
  refund: NonNullable<Connector['refund']>
  /** The fates of the next calls. */
  plan: ('ok' | 'lost' | 'down' | 'refuse')[]
  paid: Map<string, { externalId: string; amountMinor: number }>
}

export function standInTill(): StandInTill {
  const till: StandInTill = {
    plan: [],
    paid: new Map(),
    refund(_ctx, { key, externalId, amountMinor }) {
      const fate = till.plan.shift() ?? 'ok'
      if (fate === 'down') return Promise.reject(new OmnisagaError('Transient', 'nobody answers'))
      if (fate === 'refuse' && !till.paid.has(key)) return Promise.reject(new OmnisagaError('Rejected', 'it is not paid back'))
      till.paid.set(key, { externalId, amountMinor })
      if (fate === 'lost') return Promise.reject(new OmnisagaError('OutcomeUnknown', 'no answer after sending'))
      return Promise.resolve({ refundId: key })
    },
  }
  return till
}

/** Whoever was to wait waits no longer. */
export async function payBack(runtime: Runtime, { twice }: { twice: boolean }): Promise<void> {
  await runtime.pool.query(`update outbox set due_at = now(), lease_until = null where kind = 'refund' and state = 'due'`)
  await Promise.all(Array.from({ length: twice ? 2 : 1 }, () => dispatchOutbox(runtime)))
}

const WORDS: Record<string, string> = { 'refund.byHand': 'done', 'return.refund': 'refund', 'refund.notTold': 'retry' }

/** As the server has it: the task is settled, then closed. Two people may say so at once. */
export async function settleMoneyTask(runtime: Runtime, { which, twice }: Extract<AtTill, { is: 'byHand' }>): Promise<void> {
  const open = (await listTasks(runtime.pool, { state: 'open' })).filter((task) => task.kind in WORDS && isSettledHere(task))
  const task = open[which % Math.max(1, open.length)]
  if (task === undefined) return
  const say = () => settleTask(runtime, task, WORDS[task.kind] ?? '', {}, 'person:test')
  const said = await Promise.allSettled(twice ? [say(), say()] : [say()])
  for (const each of said) if (each.status === 'rejected') throw each.reason
  await closeTasks(runtime.pool, { key: task.key }, 'done', 'person:test')
}

/** Nothing is paid that nobody asked for, or another amount; the till's own books. */
export async function wronglyPaid(runtime: Pick<Runtime, 'pool'>, { paid }: StandInTill): Promise<string[]> {
  if (paid.size === 0) return []
  const { rows } = await runtime.pool.query<{ key: string; amountMinor: number; state: string; paidMinor: number | null }>(
    `select b.key, (b.payload->>'amountMinor')::bigint as "amountMinor", b.state,
       coalesce(o.doc->'toldAmounts'->>'paidMinor', o.doc->'totals'->>'totalMinor')::bigint as "paidMinor"
     from outbox b join orders o on o.id = b.order_id where b.kind = 'refund'`,
  )
  const told: string[] = []
  const sums = new Map<string, number>()
  for (const [key, { externalId, amountMinor }] of paid) {
    const row = rows.find((each) => each.key === key)
    if (row === undefined || row.state === 'skipped' || row.amountMinor !== amountMinor)
      told.push(
        `what the till paid back is what was asked of it: ${key}: paid ${amountMinor}, asked ${row?.amountMinor ?? 'nothing'}`,
      )
    const sum = (sums.get(externalId) ?? 0) + amountMinor
    sums.set(externalId, sum)
    if (row?.paidMinor !== undefined && row.paidMinor !== null && sum > row.paidMinor)
      told.push(`the till pays back no more than was paid: ${externalId}: paid back ${sum}, paid ${row.paidMinor}`)
  }
  return told
}
