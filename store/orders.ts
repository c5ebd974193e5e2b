/** Orders: receiving them from any source once, reading them for people. */
import { contentHash, orderIdOf } from '../domain/ids.ts'
import type { CanonicalOrder, IncomingOrder, Phase } from '../domain/order.ts'
import { mergeOrder, type Change } from '../domain/merge.ts'
import { isPaid } from '../domain/paid.ts'
import { isJudged, isPossible } from '../domain/possible.ts'
import { listBackorders, type Backorder } from './backorders.ts'
import { giveCommand, VERBS, type Verb } from './commands.ts'
import { importOf } from './imports.ts'
import { oweStatements } from './owed.ts'
import { participantsOf, type ParticipantFact } from './participants.ts'
import { feedbackOf, listReturns, type Feedback, type ReturnRow } from './returns.ts'
import { decisionsOf, type KeptDecision } from './routingDecisions.ts'
import { standingOf } from './standing.ts'
import { closeTasks, openTask } from './tasks.ts'
import { uncollectedOf } from './uncollected.ts'
import { transaction, type Pool, type Queryable, type Tx } from './db.ts'
import { canonicalOf, changeOrder, readOrder, strikeUnit, type OrderRecord } from './orderRecord.ts'

export type Received = 'new' | 'known' | 'filled' | 'changed'

/**
 * Takes an order in: a new one becomes a row; a known one is merged: what was masked or missing is filled in, what truly
 * changed becomes a command by the channel, to be obeyed or refused by the saga. Receiving the same twice changes nothing.
 * @returns whether the saga should be rung (`wake`).
 */
export async function receiveOrder(
  pool: Pool,
  incoming: IncomingOrder,
  meta: { connectionVersion: number; fromFile?: boolean },
): Promise<{ orderId: string; received: Received; wake: boolean }> {
  const orderId = orderIdOf(incoming.channel, incoming.shop, incoming.externalId)
  const isNew = await transaction(pool, (tx) => insertOrder(tx, orderId, incoming, meta))
  if (isNew) return { orderId, received: 'new', wake: true }
  const received = (
    await changeOrder(pool, orderId, 'world', (record, tx) => mergeInto(record, tx, incoming, meta.fromFile ?? false))
  ).result
  return { orderId, received, wake: received !== 'known' }
}

async function insertOrder(
  tx: Tx,
  orderId: string,
  incoming: IncomingOrder,
  meta: { connectionVersion: number },
): Promise<boolean> {
  const { lines, ...doc } = incoming
  const inserted = await tx.query({
    name: 'insert-order',
    text: `insert into orders (id, channel, shop, external_id, external_version, content_hash, connection, connection_version,
             settings_version, kind, placed_at, priority, doc, news)
           values ($1, $2, $3, $4, $5, $6, $7, $8, (select max(version) from settings), $9, $10, $11, $12, 1)
           on conflict (channel, shop, external_id) do nothing`,
    values: [
      orderId,
      incoming.channel,
      incoming.shop,
      incoming.externalId,
      incoming.externalVersion,
      contentHash(incoming),
      incoming.connection,
      meta.connectionVersion,
      incoming.kind,
      incoming.placedAt,
      incoming.priority,
      doc,
    ],
  })
  if (inserted.rowCount === 0) return false
  const order = { id: orderId, connection: incoming.connection, channel: incoming.channel }
  await Promise.all([
    insertLines(tx, orderId, lines),
    ...oweStatements(order, [{ what: 'placed' }]).map((statement) => tx.query(statement)),
  ])
  // An order that its source already gave up still becomes a row, so that a later edit finds it; the saga then closes it.
  if (incoming.cancelled)
    await giveCommand(tx, {
      id: `${orderId}:cancelled`,
      orderId,
      verb: 'cancel',
      detail: { reason: 'cancelled at the channel' },
      who: `channel:${incoming.channel}`,
    })
  return true
}

export async function insertLines(tx: Tx, orderId: string, lines: IncomingOrder['lines']): Promise<void> {
  await tx.query({
    name: 'insert-lines',
    text: `insert into order_lines (order_id, line_id, position, sku, external_sku, name, variant, unit_price_minor, gift, ordered)
           select $1, l."lineId", l.position, l.sku, l."externalSku", l.name, l.variant, l."unitPriceMinor", l.gift, l.quantity
           from jsonb_to_recordset($2::jsonb) as l("lineId" text, position int, sku text, "externalSku" text, name text, variant text,
             "unitPriceMinor" bigint, gift boolean, quantity int)`,
    values: [orderId, JSON.stringify(lines.map((line, position) => ({ ...line, position })))],
  })
}

/** The source's own telling, as it stands in our row (what it sold, even where our mapping to SKUs has been mended since). */
function asTold(record: OrderRecord): IncomingOrder {
  return {
    ...record.doc,
    externalVersion: record.externalVersion,
    lines: record.lines.map((line) => ({
      lineId: line.lineId,
      sku: line.sku,
      externalSku: line.externalSku,
      name: line.name,
      variant: line.variant,
      quantity: line.ordered,
      unitPriceMinor: line.unitPriceMinor,
      gift: line.gift,
    })),
  }
}

const COURSE: ReadonlySet<Change['kind']> = new Set(['lines', 'recipient', 'delivery', 'notes'])

/** A file and the channel's API word one order differently, also where one connection brings both. */
async function isSameSource(record: OrderRecord, tx: Tx, incoming: IncomingOrder, fromFile: boolean): Promise<boolean> {
  if (record.connection !== incoming.connection) return false
  if (fromFile) return record.externalVersion === null
  return incoming.externalVersion === null || record.externalVersion !== null || (await importOf(tx, record.id)) === null
}

async function mergeInto(record: OrderRecord, tx: Tx, incoming: IncomingOrder, fromFile: boolean): Promise<Received> {
  const hash = contentHash(incoming)
  if (hash === record.contentHash) return 'known'
  const { merged, changes } = mergeOrder(asTold(record), sinceLowered(record, sincePaid(record, incoming)), {
    sameSource: await isSameSource(record, tx, incoming, fromFile),
  })
  record.externalVersion = merged.externalVersion
  record.contentHash = hash
  if (changes.some((change) => change.kind === 'cancel')) return await cancelByChannel(record, tx)
  if (changes.some((change) => change.kind === 'filled')) fillIn(record, merged, changes)
  const told = await takeOverPayment(record, tx, merged, changes)
  const asked = await askForChange(record, tx, merged, changes, hash)
  if (told || asked) return 'changed'
  return changes.length > 0 ? 'filled' : 'known'
}

/**
 * What we lowered (pieces that were not kept, or not found) and the source repeats as it told it before is no news: the customer
 * would pay for goods that they do not get. Another amount than before is the source's new word.
 */
function sinceLowered({ doc }: OrderRecord, incoming: IncomingOrder): IncomingOrder {
  const { toldAmounts: before, payment, totals } = doc
  if (before === undefined) return incoming
  if (incoming.payment.amountDueMinor !== before.amountDueMinor) doc.toldAmounts = undefined
  const repeated = <T>(now: T, told: T, ours: T): T => (now === told ? ours : now)
  return {
    ...incoming,
    payment: {
      ...incoming.payment,
      amountDueMinor: repeated(incoming.payment.amountDueMinor, before.amountDueMinor, payment.amountDueMinor),
    },
    totals: {
      ...incoming.totals,
      itemsMinor: repeated(incoming.totals.itemsMinor, before.itemsMinor, totals.itemsMinor),
      totalMinor: repeated(incoming.totals.totalMinor, before.totalMinor, totals.totalMinor),
    },
  }
}

/** A source that still waits for the money does not know that a person has it: nobody pays twice. */
const sincePaid = ({ doc }: OrderRecord, incoming: IncomingOrder): IncomingOrder =>
  doc.paidHere && !isPaid(incoming.payment) ? { ...incoming, payment: doc.payment } : incoming

async function cancelByChannel(record: OrderRecord, tx: Tx): Promise<Received> {
  // Often the echo of our own word to the channel.
  if (record.is('cancelled')) return 'known'
  await closeTasks(tx, { key: `order:${record.id}:hold` }, 'cancelled at the channel')
  const given = await giveCommand(tx, {
    id: `${record.id}:cancelled`,
    orderId: record.id,
    verb: 'cancel',
    detail: { reason: 'cancelled at the channel' },
    who: `channel:${record.doc.channel}`,
  })
  record.wake()
  return given.isNew ? 'changed' : 'known'
}

/** What was masked or missing and is told now changes nothing that is under way, but may lift a block. */
function fillIn(record: OrderRecord, merged: IncomingOrder, changes: Change[]): void {
  const asked = new Set<string>(changes.filter((change) => COURSE.has(change.kind)).map((change) => change.kind))
  const { lines, ...doc } = merged
  record.doc = {
    ...doc,
    // What truly changes waits for the saga's word.
    ...(asked.has('recipient') ? { recipient: record.doc.recipient } : {}),
    ...(asked.has('delivery') ? { delivery: record.doc.delivery } : {}),
    ...(asked.has('notes') ? { notes: record.doc.notes } : {}),
    payment: record.doc.payment,
    toldAmounts: record.doc.toldAmounts,
    ...(record.doc.paidHere ? { paidHere: true } : {}),
    onHold: record.doc.onHold,
  }
  if (!asked.has('lines')) {
    for (const told of lines) {
      const line = record.lines.find((candidate) => candidate.lineId === told.lineId)
      if (line !== undefined)
        Object.assign(line, {
          sku: told.sku,
          externalSku: told.externalSku,
          name: told.name,
          variant: told.variant,
          unitPriceMinor: told.unitPriceMinor,
        })
    }
  }
  if (!record.is('blocked')) return
  record.withdraw('blocked')
  record.changeCourse()
}

/** Payment state and the channel's hold are the channel's own facts: taken over, and the waiting stage looks again. */
async function takeOverPayment(record: OrderRecord, tx: Tx, merged: IncomingOrder, changes: Change[]): Promise<boolean> {
  const says = (kind: Change['kind']) => changes.some((change) => change.kind === kind)
  if (!says('payment') && !says('hold') && !says('release')) return false
  // What is due for other goods comes with them, when and if they change.
  const withLines = says('lines') && merged.payment.method === record.doc.payment.method
  const { amountDueMinor } = withLines ? record.doc.payment : merged.payment
  record.doc = { ...record.doc, payment: { ...merged.payment, amountDueMinor }, onHold: merged.onHold }
  if (says('hold')) await holdBack(record, tx)
  if (says('release')) await closeTasks(tx, { key: `order:${record.id}:hold` }, 'released by the channel')
  record.changeCourse()
  return true
}

/** Back to where it waits for the channel's word, as long as no warehouse has it; then a person must stop the parcel. */
async function holdBack(record: OrderRecord, tx: Tx): Promise<void> {
  const alive = record.units.filter((unit) => unit.state !== 'cancelled')
  // A shop that has paid back what was returned says so: nothing is left to be stopped.
  if (alive.length > 0 && alive.every((unit) => unit.state === 'delivered' || unit.state === 'returned')) return
  if (alive.every((unit) => unit.state === 'planned' || unit.state === 'ready')) {
    for (const unit of alive) strikeUnit(record, unit)
    await closeTasks(tx, { prefix: `order:${record.id}:pick:` }, 'the channel asks to wait')
    record.withdraw('confirmed', 'routed')
    return
  }
  await openTask(tx, {
    kind: 'order.hold',
    key: `order:${record.id}:hold`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: 'The channel asks to wait, but the goods are under way',
    detail: `${record.doc.channel} holds order ${record.doc.externalId} (a cancellation is asked for, perhaps); here it is ${record.phase}.`,
    remedy:
      'Decide it at the channel. A cancellation that you grant there arrives here by itself; or cancel here and have the parcel stopped.',
    actions: ['cancel', 'skip'],
  })
}

async function askForChange(
  record: OrderRecord,
  tx: Tx,
  merged: IncomingOrder,
  changes: Change[],
  hash: string,
): Promise<boolean> {
  const ask = changes.filter((change) => COURSE.has(change.kind))
  if (ask.length === 0) return false
  const patch = Object.fromEntries(
    ask.map((change) => [change.kind, merged[change.kind as 'lines' | 'recipient' | 'delivery' | 'notes']]),
  )
  if (ask.some((change) => change.kind === 'lines')) Object.assign(patch, { totals: merged.totals, payment: merged.payment })
  await giveCommand(tx, {
    id: `${record.id}:${hash}`,
    orderId: record.id,
    verb: 'change',
    detail: patch,
    who: `channel:${record.doc.channel}`,
  })
  record.wake()
  return true
}

export async function isKnown(db: Queryable, order: Pick<IncomingOrder, 'channel' | 'shop' | 'externalId'>): Promise<boolean> {
  const rows = await db.query('select 1 from orders where id = $1', [orderIdOf(order.channel, order.shop, order.externalId)])
  return rows.rowCount === 1
}

export interface OrderSummary {
  id: string
  channel: string
  connection: string
  externalId: string
  kind: string
  phase: Phase
  placedAt: string | null
  createdAt: string
  updatedAt: string
  priority: number
  openTasks: number
}

const ISO = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** Newest first; `before` is the `next` of the page before. */
export async function listOrders(
  db: Queryable,
  filter: { phase?: string; channel?: string; limit?: number; before?: string } = {},
): Promise<{ orders: OrderSummary[]; next: string | null }> {
  const limit = filter.limit ?? 50
  const [beforeAt, beforeId] = filter.before?.split('|') ?? []
  const rows = await db.query<OrderSummary & { cursor: string }>(
    `select id, channel, connection, external_id as "externalId", kind, phase, ${ISO('placed_at')} as "placedAt",
       ${ISO('created_at')} as "createdAt", ${ISO('updated_at')} as "updatedAt", priority,
       (select count(*) from tasks t where t.order_id = orders.id and t.state = 'open') as "openTasks",
       created_at::text || '|' || id as cursor
     from orders where ($1::text is null or phase = $1) and ($2::text is null or channel = $2)
       and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::text))
     order by created_at desc, id desc limit $5`,
    [filter.phase ?? null, filter.channel ?? null, beforeAt ?? null, beforeId ?? null, limit + 1],
  )
  const orders = rows.rows.slice(0, limit)
  const next = rows.rows.length > limit ? (orders.at(-1)?.cursor ?? null) : null
  return { orders: orders.map(({ cursor: _cursor, ...order }) => order), next }
}

export interface OrderDetail extends CanonicalOrder {
  counters: {
    lineId: string
    ordered: number
    held: number
    picked: number
    packed: number
    shipped: number
    delivered: number
    returned: number
    cancelled: number
  }[]
  facts: Record<string, unknown>
  history: { fact: string; withdrawn: boolean; at: string; data: Record<string, unknown> }[]
  units: unknown[]
  parcels: unknown[]
  tasks: unknown[]
  commands: unknown[]
  owed: unknown[]
  /** Who knows what. */
  participants: ParticipantFact[]
  /** Why its goods leave from where they do. */
  routing: KeptDecision[]
  notices: unknown[]
  holds: unknown[]
  /** Of the same member or phone: cash-on-delivery parcels that came back uncollected. */
  buyerHistory: { uncollected: number }
  /** Pieces promised that are not there. */
  backorders: Backorder[]
  /** What came back or is asked back. */
  returns: ReturnRow[]
  feedback: Feedback | null
  /** What the order would take now; what nobody judges beforehand (`retry`, `skip`) is left to its tasks. */
  possible: Verb[]
  closed: boolean
  updatedAt: string
}

/** By our id or by the channel's own order number (the newest, should two channels share one). */
export async function findOrderId(db: Queryable, idOrExternalId: string): Promise<string | null> {
  const rows = await db.query<{ id: string }>(
    `select id from orders where id = $1 or external_id = $1 order by (id = $1) desc, created_at desc limit 1`,
    [idOrExternalId],
  )
  return rows.rows[0]?.id ?? null
}

/** Everything a person may want to know of one order. */
export async function getOrder(db: Queryable, idOrExternalId: string): Promise<OrderDetail | null> {
  const id = await findOrderId(db, idOrExternalId)
  if (id === null) return null
  const record = await readOrder(db, id)
  const rows = async (text: string): Promise<never[]> => (await db.query(text, [id])).rows as never[]
  const buyerHistory = { uncollected: await uncollectedOf(db, record.doc.buyer, record.doc.recipient) }
  const row = await db.query<{ updatedAt: string; connectionVersion: number }>(
    `select ${ISO('updated_at')} as "updatedAt", connection_version as "connectionVersion" from orders where id = $1`,
    [id],
  )
  return {
    ...canonicalOf(record),
    counters: record.lines.map(({ lineId, ordered, held, picked, packed, shipped, delivered, returned, cancelled }) => ({
      lineId,
      ordered,
      held,
      picked,
      packed,
      shipped,
      delivered,
      returned,
      cancelled,
    })),
    facts: record.facts,
    history: await rows(`select fact, withdrawn, ${ISO('at')} as at, data from order_facts where order_id = $1 order by id`),
    units: await rows(`select u.id, u.location, u.state, u.wave_id as wave, u.notes, (select jsonb_agg(distinct m.external_id)
        from units b join orders m on m.id = b.order_id where b.shared_box = u.shared_box and b.id <> u.id and b.state <> 'cancelled') as "sharesBoxWith", ${ISO('u.handed_over_at')} as "handedOverAt", ${ISO('u.packed_at')} as "packedAt",
      (select jsonb_agg(jsonb_build_object('lineId', l.line_id, 'sku', l.sku, 'quantity', l.quantity, 'picked', l.picked, 'packed', l.packed, 'short', l.short) order by l.line_id)
       from unit_lines l where l.unit_id = u.id) as lines from units u where u.order_id = $1 order by u.serial`),
    parcels:
      await rows(`select p.id, p.unit_id as "unitId", p.courier, p.service, p.reference, p.state, p.waybill, p.amount_due_minor as "amountDueMinor",
      p.rides_in as "ridesIn", p.label_amount_minor as "labelAmountMinor", p.insured_minor as "insuredMinor", p.back_because as "backBecause", p.collected_minor as "collectedMinor", p.fee_minor as "feeMinor",
      to_char(p.remitted_on, 'YYYY-MM-DD') as "remittedOn", p.refusal, p.last_status as "lastStatus", ${ISO('p.last_news_at')} as "lastNewsAt",
      (select coalesce(jsonb_agg(jsonb_build_object('code', e.code, 'meaning', e.meaning, 'detail', e.detail, 'at', e.event_at) order by e.event_at), '[]')
       from parcel_events e where e.parcel_id = p.id) as events from parcels p where p.order_id = $1 order by p.id`),
    tasks: await rows(
      `select id, kind, title, remedy, actions, ${ISO('opened_at')} as "openedAt" from tasks where order_id = $1 and state = 'open' order by id`,
    ),
    commands: await rows(
      `select id, verb, detail, who, state, answer, ${ISO('at')} as at from commands where order_id = $1 order by serial`,
    ),
    owed: await rows(
      `select participant, connection, kind, state, attempts, error, ${ISO('created_at')} as "owedSince", ${ISO('done_at')} as "toldAt" from outbox where order_id = $1 order by id`,
    ),
    participants: await participantsOf(db, id),
    routing: await decisionsOf(db, id),
    notices: await rows(
      `select template, ${ISO('at')} as at, ${ISO('sent_at')} as "sentAt", connection, reason from notices where order_id = $1 order by id`,
    ),
    holds: await rows(
      `select line_id as "lineId", sku, location, quantity, kept_aside as "keptAside", ${ISO('expires_at')} as "expiresAt" from holds where order_id = $1 and state = 'active' order by id`,
    ),
    buyerHistory,
    backorders: await listBackorders(db, { orderId: id }),
    returns: await listReturns(db, { orderId: id }),
    feedback: await feedbackOf(db, id),
    possible: VERBS.filter((verb) => isJudged(verb) && isPossible(verb, standingOf(record))),
    closed: record.closed,
    updatedAt: row.rows[0]?.updatedAt ?? '',
  }
}
