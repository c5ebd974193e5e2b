/** The sweep starts what a crash left behind, rings what was not heard, and turns passed deadlines into tasks. */
import { workflowIdOf } from '../domain/ids.ts'
import { bringsFromElsewhere } from '../domain/shortage.ts'
import { sweep as sweepHolds } from '../store/ledger/operations.ts'
import { openTask } from '../store/tasks.ts'
import { tidyBackorders } from './shortage/round.ts'
import { closeCampaigns } from './campaigns/round.ts'
import { ask } from './ask.ts'
import { ring, start } from './engine.ts'
import type { Runtime } from './runtime.ts'
import { leaveClosedPlaces } from './order/closedPlaces.ts'
import { leaveClosedStores } from './order/closedStore.ts'
import { returnRound } from './returns/round.ts'
import { startPull } from './schedules.ts'
import { sweepStore } from './store/sweep.ts'

const BATCH = 500

export async function sweep(runtime: Runtime): Promise<void> {
  const failures: unknown[] = []
  // One part that cannot be done now (the engine is away) does not hold up the others.
  for (const part of [
    () => sweepHolds(runtime.pool),
    () => closeCampaigns(runtime),
    () => tidyBackorders(runtime),
    () => stuckParcels(runtime),
    () => silentWarehouses(runtime),
    () => ringUnheard(runtime),
    () => answerAfterTheClose(runtime),
    () => ringForStock(runtime),
    () => leaveClosedPlaces(runtime),
    () => leaveClosedStores(runtime),
    () => sweepStore(runtime),
    () => pullWhatWasPushed(runtime),
    () => returnRound(runtime),
  ]) {
    await part().catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

/** News or commands that nobody has heard for some seconds. */
async function ringUnheard(runtime: Runtime): Promise<void> {
  const unheard = await runtime.pool.query<{ id: string }>(
    `select id from orders o where not closed and updated_at < now() - interval '3 seconds'
       and (news > seen_news or exists (select 1 from commands c where c.order_id = o.id and c.state = 'waiting'))
       and (rung_at is null or rung_at < now() - interval '20 seconds') order by updated_at limit $1`,
    [BATCH],
  )
  for (const { id } of unheard.rows) await ring(runtime, id)
}

/** What a channel asks of a finished order is answered too; no workflow of it runs, and nobody rings it. */
async function answerAfterTheClose(runtime: Runtime): Promise<void> {
  const late = await runtime.pool.query<{ id: string }>(
    `select c.id from commands c join orders o on o.id = c.order_id
     where c.state = 'waiting' and o.closed and c.at < now() - interval '1 second' order by c.serial limit 50`,
  )
  for (const { id } of late.rows) await ask(runtime, id)
}

/** An order that waits for stock goes on when there is some, all it wants and where it may be held: a ring in vain costs a look. */
export async function ringForStock(runtime: Runtime): Promise<void> {
  const policy = await runtime.policy()
  const short = await runtime.pool.query<{ id: string; rank: number; priority: number; createdAt: Date }>(
    `update orders o set course = course + 1, news = news + 1, revision = revision + 1, updated_at = now()
     where o.id in (
       select w.id from orders w where w.phase = 'waitingStock' and not w.closed and w.updated_at < now() - interval '2 seconds'
         and not exists (
           select 1 from (
             select sku, sum(ordered - cancelled - held) as wanted from order_lines where order_id = w.id group by sku) l
           where l.wanted > coalesce((
             select sum(stock_available(s.sku, s.location, w.channel, w.doc->>'campaign', w.id)) from stock s join locations p on p.id = s.location
             where s.sku = l.sku and case
               when $2 then p.kind in ('warehouse', 'store')
               when w.doc->'delivery'->>'location' is not null and (w.kind = 'tryOn' or w.doc->'delivery'->>'method' in ('storePickup', 'handOver'))
               then p.id = w.doc->'delivery'->>'location' or (p.ships and (w.kind = 'tryOn' or w.doc->'delivery'->>'method' = 'storePickup'))
               else p.ships end), 0))
       order by coalesce(($1::jsonb->>w.kind)::integer, 0), w.priority desc, w.created_at limit 50 for no key update skip locked)
     returning id, coalesce(($1::jsonb->>kind)::integer, 0) as rank, priority, created_at as "createdAt"`,
    [JSON.stringify(policy.claimPriority), bringsFromElsewhere(policy.shortage)],
  )
  const inOrder = short.rows.sort(
    (a, b) => a.rank - b.rank || b.priority - a.priority || a.createdAt.getTime() - b.createdAt.getTime(),
  )
  for (const { id } of inOrder) await ring(runtime, id)
}

/** A push only says that an order changed; the pull reads it. */
async function pullWhatWasPushed(runtime: Runtime): Promise<void> {
  const pushed = await runtime.pool.query<{ connection: string }>(
    `select distinct i.connection from inbox i join connections c on c.name = i.connection
     left join connection_state s on s.connection = i.connection
     where i.state = 'new' and i.payload ? 'lookAt' and not c.paused and s.stopped_reason is null`,
  )
  for (const { connection } of pushed.rows) await startPull(runtime.temporal, connection, { taskQueue: runtime.taskQueue })
}

async function stuckParcels(runtime: Runtime): Promise<void> {
  const stuck = await runtime.pool.query<{
    id: string
    order_id: string
    courier: string
    waybill: string | null
    external_id: string
    last: string | null
  }>(
    `select p.id, p.order_id, p.courier, p.waybill, o.external_id, to_char(coalesce(p.last_news_at, p.booked_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as last
     from parcels p join orders o on o.id = p.order_id
     where p.state in ('booked', 'shipped', 'returning') and p.news_due_at < now()
       and p.rides_in is null
       and not exists (select 1 from tasks t where t.key = 'parcel:' || p.id || ':stuck' and t.state = 'open') limit $1`,
    [BATCH],
  )
  for (const parcel of stuck.rows) {
    await openTask(runtime.pool, {
      kind: 'parcel.stuck',
      key: `parcel:${parcel.id}:stuck`,
      orderId: parcel.order_id,
      connection: parcel.courier,
      subject: parcel.external_id,
      title: 'A parcel without news',
      detail: `${parcel.courier} has told nothing about waybill ${parcel.waybill ?? parcel.id} of order ${parcel.external_id} ${parcel.last === null ? 'yet' : `since ${parcel.last} UTC`}.`,
      remedy: 'Ask the courier where it is, and tell the customer. The task closes by itself when there is news.',
      field: 'waybill',
      value: parcel.waybill,
      actions: ['skip'],
    })
    await runtime.pool.query('update parcels set news_due_at = null where id = $1', [parcel.id])
  }
}

async function silentWarehouses(runtime: Runtime): Promise<void> {
  const silent = await runtime.pool.query<{
    id: string
    order_id: string
    location: string
    state: string
    external_id: string
    is_changed: boolean
  }>(
    `select u.id, u.order_id, u.location, u.state, o.external_id, coalesce(o.facts->'cancelRequested' ? 'change', false) as is_changed from units u join orders o on o.id = u.order_id
     where u.state in ('handedOver', 'picked', 'recalling') and u.answer_due_at < now() limit $1`,
    [BATCH],
  )
  for (const unit of silent.rows) {
    const recalling = unit.state === 'recalling'
    await openTask(runtime.pool, {
      kind: recalling ? 'recall.unanswered' : 'unit.silent',
      key: recalling ? `order:${unit.order_id}:recall:${unit.id}` : `unit:${unit.id}:silent`,
      orderId: unit.order_id,
      connection: null,
      subject: unit.external_id,
      title: recalling ? 'The warehouse has not answered the recall' : 'The warehouse has not answered',
      detail: recalling
        ? `Order ${unit.external_id} is ${unit.is_changed ? 'called back to be changed' : 'being cancelled'}; ${unit.location} was asked to give its goods back and has not answered. They stay held, and the order waits.`
        : `${unit.location} was given order ${unit.external_id} to pick and has said nothing since. Its goods stay held.`,
      remedy: recalling
        ? 'Call the warehouse. The goods are back: recalled. They left: letGo, and the order goes on.'
        : 'Call the warehouse. The task closes by itself when it answers; cancel asks for the goods back.',
      field: 'unit',
      value: unit.id,
      actions: recalling ? ['recalled', 'letGo'] : ['skip', 'cancel'],
    })
    await runtime.pool.query('update units set answer_due_at = null where id = $1', [unit.id])
  }
}

/** Every open order has a workflow, also after the engine has lost its whole database. @returns how many were started. */
export async function startMissing(runtime: Runtime): Promise<number> {
  const open = await runtime.pool.query<{ id: string }>(
    `select id from orders where not closed and updated_at < now() - interval '5 seconds'`,
  )
  if (open.rows.length === 0) return 0
  const running = new Set<string>()
  for await (const execution of runtime.temporal.workflow.list({
    query: `WorkflowType = 'order' AND ExecutionStatus = 'Running'`,
  }))
    running.add(execution.workflowId)
  const missing = open.rows.filter(({ id }) => !running.has(workflowIdOf(id)))
  // The list lags a little behind; starting what runs already changes nothing.
  for (const { id } of missing.slice(0, BATCH)) await start(runtime, id)
  return missing.length
}
