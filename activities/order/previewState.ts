/** What a person asks of an order before something is done, and after: read in one go, compared field by field. */
import type { Queryable } from '../../store/db.ts'
import type { OrderDoc } from '../../store/orderRecord.ts'
import { saidDifferently, type Difference } from './previewDoc.ts'

export type { Difference }

export interface OrderState {
  phase: string
  doc: OrderDoc
  dueMinor: number
  paymentState: string
  lines: { lineId: string; sku: string | null; name: string | null; ordered: number; picked: number; packed: number; shipped: number; delivered: number; returned: number; cancelled: number }[] // prettier-ignore
  holds: { sku: string; location: string; quantity: number }[]
  stock: { sku: string; location: string; onHand: number }[]
  units: { id: string; location: string; state: string }[]
  parcels: { id: string; courier: string; waybill: string | null; state: string; amountDueMinor: number }[]
  returns: { id: string; state: string }[]
  tasks: { id: number; kind: string; title: string }[]
  /** Everything that was ever owed or noted for it, by key. */
  told: { key: string; to: string; what: string }[]
}

const list = (sql: string, as: string) => `(select coalesce(json_agg(t), '[]') from (${sql}) t) as ${as}`

/** @param stock of the order's own articles alone. */
export async function stateOf(db: Queryable, orderId: string): Promise<OrderState> {
  const { rows } = await db.query<OrderState>({
    name: 'preview-state',
    text: `select o.phase, o.doc, (o.doc->'payment'->>'amountDueMinor')::bigint as "dueMinor", o.doc->'payment'->>'state' as "paymentState",
      ${list(
        `select line_id as "lineId", sku, name, ordered, picked, packed, shipped, delivered, returned, cancelled
         from order_lines where order_id = o.id order by position`,
        'lines',
      )},
      ${list(
        `select sku, location, sum(quantity)::int as quantity from holds where order_id = o.id and state = 'active'
           and (expires_at is null or expires_at > now()) group by sku, location order by sku, location`,
        'holds',
      )},
      ${list(
        `select sku, location, on_hand as "onHand" from stock s
         where exists (select from unit_lines l join units u on u.id = l.unit_id where u.order_id = o.id and l.sku = s.sku and u.location = s.location)
         order by sku, location`,
        'stock',
      )},
      ${list('select id, location, state from units where order_id = o.id order by serial', 'units')},
      ${list(
        `select id, courier, waybill, state, amount_due_minor as "amountDueMinor" from parcels where order_id = o.id order by id`,
        'parcels',
      )},
      ${list('select id, state from returns where order_id = o.id order by id', 'returns')},
      ${list(`select id, kind, title from tasks where order_id = o.id and state = 'open' order by id`, 'tasks')},
      ${list(
        `select key, coalesce(connection, participant) as to, kind as what from outbox where order_id = o.id
         union all select key, 'the customer', template from notices where order_id = o.id order by key`,
        'told',
      )}
      from orders o where o.id = $1`,
    values: [orderId],
  })
  const [state] = rows
  if (state === undefined) throw new Error(`there is no order ${orderId}`)
  return state
}

type Values = ReadonlyMap<string, string>

const COUNTERS = ['ordered', 'picked', 'packed', 'shipped', 'delivered', 'returned', 'cancelled'] as const

/** `of`, then the name, then the value. */
function valuesOf(state: OrderState): ReadonlyMap<string, Values> {
  const of = <T>(parts: readonly T[], name: (part: T) => string, value: (part: T) => string): Values =>
    new Map(parts.map((part) => [name(part), value(part)]))
  return new Map<string, Values>([
    ['phase', new Map([['phase', state.phase]])],
    ['due', new Map([['payment', `${state.dueMinor / 100} to collect, ${state.paymentState}`]])],
    [
      'line',
      new Map(
        state.lines.flatMap((line) =>
          COUNTERS.map((counter): [string, string] => [
            `${line.sku ?? line.name ?? line.lineId} (${line.lineId}) ${counter}`,
            String(line[counter]),
          ]),
        ),
      ),
    ],
    ['hold', of(state.holds, (hold) => `${hold.sku} at ${hold.location}`, (hold) => String(hold.quantity))], // prettier-ignore
    ['stock', of(state.stock, (level) => `${level.sku} at ${level.location}`, (level) => String(level.onHand))], // prettier-ignore
    [
      'unit',
      of(
        state.units,
        (unit) => `${unit.id} at ${unit.location}`,
        (unit) => unit.state,
      ),
    ],
    ['return', of(state.returns, ({ id }) => id, (row) => row.state)], // prettier-ignore
    ['parcel', of(state.parcels, (parcel) => `${parcel.courier} ${parcel.waybill ?? parcel.id}`, (parcel) => parcel.state)], // prettier-ignore
  ])
}

export function differencesOf(before: OrderState, after: OrderState): Difference[] {
  const found = saidDifferently(before.doc, after.doc)
  const [was, is] = [valuesOf(before), valuesOf(after)]
  for (const [of, values] of is) {
    const old = was.get(of) ?? new Map<string, string>()
    for (const name of new Set([...old.keys(), ...values.keys()])) {
      const [from, to] = [old.get(name) ?? null, values.get(name) ?? null]
      // A line that is new or gone is told by what was ordered of it, not by its zeros.
      if (from !== to && !((from === null || to === null) && (from ?? to) === '0')) found.push({ of, name, from, to })
    }
  }
  const has = <T>(all: readonly T[], key: (one: T) => unknown, one: T) => all.some((other) => key(other) === key(one))
  for (const task of before.tasks.filter((one) => !has(after.tasks, (t) => t.id, one)))
    found.push({ of: 'taskCloses', name: `${task.id} ${task.title}`, from: 'open', to: null })
  for (const task of after.tasks.filter((one) => !has(before.tasks, (t) => t.id, one)))
    found.push({ of: 'taskOpens', name: task.title, from: null, to: 'open' })
  for (const word of after.told.filter((one) => !has(before.told, (t) => t.key, one)))
    found.push({ of: 'told', name: word.to, from: null, to: word.what })
  return found
}
