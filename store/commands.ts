/** Commands: what people and channels ask of an order. A row first, so that nothing asked is lost; the workflow obeys in order. */
import { randomUUID } from 'node:crypto'
import type { Queryable } from './db.ts'

export const VERBS = [
  'confirm',
  'cancel',
  'change',
  'recall',
  'paid',
  'arrived',
  'decide',
  'collected',
  'packed',
  'retry',
  'reroute',
  'shipWithout',
  'recalled',
  'letGo',
  'rebook',
  'restocked',
  'skip',
] as const
export type Verb = (typeof VERBS)[number]

export interface Command {
  id: string
  orderId: string
  taskId: number | null
  verb: Verb
  detail: Record<string, unknown>
  who: string
  state: 'waiting' | 'done' | 'refused'
  answer: string | null
}

const COLUMNS = `id, order_id as "orderId", task_id as "taskId", verb, detail, who, state, answer`

/** @param args.id makes giving it twice harmless; minted when absent. */
export async function giveCommand(
  db: Queryable,
  args: { id?: string; orderId: string; verb: Verb; detail?: Record<string, unknown>; who: string; taskId?: number | null },
): Promise<{ id: string; isNew: boolean }> {
  const id = args.id ?? randomUUID()
  const inserted = await db.query(
    `insert into commands (id, order_id, task_id, verb, detail, who) values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing`,
    [id, args.orderId, args.taskId ?? null, args.verb, args.detail ?? {}, args.who],
  )
  return { id, isNew: inserted.rowCount === 1 }
}

export async function getCommand(db: Queryable, id: string): Promise<Command | null> {
  return (
    (await db.query<Command>({ name: 'get-command', text: `select ${COLUMNS} from commands where id = $1`, values: [id] }))
      .rows[0] ?? null
  )
}

export async function waitingCommands(db: Queryable, orderId: string): Promise<Command[]> {
  const rows = await db.query<Command>({
    name: 'waiting-commands',
    text: `select ${COLUMNS} from commands where order_id = $1 and state = 'waiting' order by serial`,
    values: [orderId],
  })
  return rows.rows
}

export async function answerCommand(db: Queryable, id: string, state: 'done' | 'refused', answer: string): Promise<void> {
  await db.query({
    name: 'answer-command',
    text: `update commands set state = $2, answer = $3, answered_at = now() where id = $1 and state = 'waiting'`,
    values: [id, state, answer],
  })
}

export async function commandsOf(db: Queryable, orderId: string): Promise<(Command & { at: Date })[]> {
  const rows = await db.query<Command & { at: Date }>(`select ${COLUMNS}, at from commands where order_id = $1 order by serial`, [
    orderId,
  ])
  return rows.rows
}
