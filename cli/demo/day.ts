/**
 * The day itself, driven from outside: files are uploaded, the API is asked, the marketplace is pulled, the simulators move.
 * Each step waits for what it builds on, so that no race decides the outcome; each may be run again after a crash.
 */
import { momoWorkbook, shopeeWorkbook } from '../../samples/generate.ts'
import { outside, type ImportAnswer, type OrderAnswer, type Outside } from './outside.ts'
import { SHOPEE_PASSWORD, type DayPlan } from './plan.ts'
import type { Shop } from './shop.ts'
import { shopeeOrders } from './shopeeOrders.ts'

export interface DayOptions {
  say: (line: string) => void
  signal?: AbortSignal
  /** How long one step may take. @default 60 s */ patienceMs?: number
}

interface Day extends Shop {
  api: Outside
  say: (line: string) => void
  /** @throws Error that says what was waited for, and what was seen last. */
  until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T>
  untilPhase(externalIds: string[], phase: string, progress?: (count: number) => string): Promise<void>
}

const LOOK_EVERY_MS = 200
/** The try-on that nobody comes for: long enough to be seen waiting, short enough for a demo. */
const NO_SHOW_AFTER_MS = 4_000
const ABREAST = 6

const steps: [name: string, step: (day: Day) => Promise<void>][] = [
  ['stock', countStock],
  ['momo', importMomo],
  ['shopeeFile', importShopee],
  ['shopeeApi', pullShopee],
  ['store', sellInStore],
  ['runOut', runOut],
  ['cod', confirmCod],
  ['tryOn', tryOn],
  ['changes', changeOrders],
  ['open', openWarehouse],
  ['book', bookParcels],
  ['forged', forgeWebhook],
  ['ship', shipParcels],
  ['lateCancel', cancelTooLate],
  ['deliver', deliverParcels],
  ['tell', tellEverybody],
]

/** Runs the steps that are not done yet. Rejects with the signal's reason when it is aborted. */
export async function runDay(shop: Shop, { say, signal, patienceMs = 60_000 }: DayOptions): Promise<void> {
  const day = begin(shop, { say, patienceMs, ...(signal ? { signal } : {}) })
  planFaults(shop)
  for (const [name, step] of steps) {
    signal?.throwIfAborted()
    if (shop.state.done.includes(name)) continue
    await step(day)
    shop.state.done.push(name)
    shop.save()
  }
  shop.ecpay.faults.clear()
  shop.state.finishedAt ??= new Date().toISOString()
  shop.save()
}

function begin(shop: Shop, { say, signal, patienceMs }: DayOptions & { patienceMs: number }): Day {
  const api = outside(shop.url, signal)
  const until: Day['until'] = async (what, look) => {
    const deadline = Date.now() + patienceMs
    for (;;) {
      signal?.throwIfAborted()
      const seen = await look()
      if (seen !== null && seen !== undefined && seen !== false) return seen
      if (Date.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s in vain until ${what}`)
      await new Promise((resolve) => {
        setTimeout(resolve, LOOK_EVERY_MS)
      }) // between two looks at the condition
    }
  }
  const untilPhase: Day['untilPhase'] = async (externalIds, phase, progress) => {
    let behind: string[] = externalIds
    let told = -1
    await until(`${externalIds.length} orders are ${phase}`, async () => {
      const phases = new Map((await api.orders()).map((order) => [order.externalId, order.phase]))
      behind = externalIds.filter((id) => phases.get(id) !== phase)
      const count = externalIds.length - behind.length
      if (progress && count > told && (count >= told + 20 || behind.length === 0)) {
        say(progress(count))
        told = count
      }
      return behind.length === 0
    }).catch(async (error: Error) => {
      if (signal?.aborted) throw error
      throw new Error(
        `${error.message}; ${behind.length} are not, among them ${(await Promise.all(behind.slice(0, 3).map(async (id) => `${id} (${(await api.order(id))?.phase})`))).join(', ')}`,
      )
    })
  }
  return { ...shop, api, say, until, untilPhase }
}

async function abreast<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: ABREAST }, worker))
}

/** Known before the first parcel: which booking is refused at every try, and which answer is lost. */
function planFaults({ plan, ecpay }: Shop): void {
  const phoneOf = (externalId: string) => String(plan.shopeeApi.find((order) => order.externalId === externalId)?.phone)
  const create = { path: '/Express/Create', method: 'POST' }
  ecpay.faults.add({
    ...create,
    kind: 'refuse',
    message: '收件地址不在配送範圍',
    fields: { ReceiverCellPhone: `^${phoneOf(plan.cast.refused)}$` },
    times: 0,
  })
  ecpay.faults.add({ ...create, kind: 'lostAnswer', fields: { ReceiverCellPhone: `^${phoneOf(plan.cast.lostAnswer)}$` } })
}

/** External ids by what becomes of the orders. */
export function expectedEnd(plan: DayPlan): {
  delivered: string[]
  cancelled: string[]
  packed: string[]
  waitingStock: string[]
} {
  const { cast } = plan
  const cancelled = [...cast.cancelledEarly, cast.tryOn.keepsNothing, cast.tryOn.neverComes]
  const elsewhere = new Set([...cancelled, cast.refused, cast.ranOut])
  const all = new Set([
    ...plan.momo.map((o) => o.externalId).filter((id) => !cast.wrongRows.includes(id)),
    ...plan.shopeeFile.map((o) => o.externalId),
    ...plan.shopeeApi.map((o) => o.externalId),
    ...plan.store.map((o) => o.externalId),
  ])
  return {
    delivered: [...all].filter((id) => !elsewhere.has(id)),
    cancelled,
    packed: [cast.refused],
    waitingStock: [cast.ranOut],
  }
}

async function countStock({ api, plan, say }: Day): Promise<void> {
  for (const { sku, location, onHand } of plan.stock) {
    const { status, body } = await api.post<{ detail?: string }>(
      '/api/v1/stock',
      { sku, location, onHand, reason: 'opening count' },
      { 'idempotency-key': `day-${plan.run}-${sku}-${location}` },
    )
    if (status !== 200) throw new Error(`the count of ${sku} at ${location} was refused: ${body.detail ?? status}`)
  }
  say(`stock: ${plan.products.length} products counted at 3 locations`)
}

async function importFile(
  day: Day,
  file: Buffer,
  fields: { connection: string; fileName: string; password?: string },
): Promise<ImportAnswer> {
  const { status, body } = await day.api.upload(file, fields)
  if (status >= 300) throw new Error(`${fields.fileName} was refused (${status}): ${(body as { detail?: string }).detail ?? ''}`)
  return await day.until(`${fields.fileName} is read`, async () => {
    const now = (await day.api.get<ImportAnswer>(`/api/v1/imports/${body.id}`)).body
    if (now.state === 'failed') throw new Error(`${fields.fileName} cannot be read: ${now.error ?? ''}`)
    return now.state === 'done' ? now : null
  })
}

async function importMomo(day: Day): Promise<void> {
  const { plan, state, say } = day
  const bytes = day.file('momo.xls', () => momoWorkbook({ orders: plan.momo, wrongRows: plan.wrongKinds }))
  const done = await importFile(day, bytes, { connection: 'momo', fileName: 'momo.xls' })
  state.notes.momoImport = done.id
  const errors = done.result?.errors ?? []
  const held = errors
    .map((error) => `row ${error.row}, ${error.column}: ${error.value === '' ? 'empty' : error.value}`)
    .join('; ')
  say(
    `momo file: ${plan.momo.length - (done.result?.heldOrders.length ?? 0)} orders in, ${done.result?.heldOrders.length ?? 0} held (${held})`,
  )
}

async function importShopee(day: Day): Promise<void> {
  const { plan, shopee, say } = day
  // The shop knows them too; the API is pulled later, and not so far back.
  const known = new Set(shopee.orders().map((order) => order.orderSn))
  const fresh = shopeeOrders(plan, new Date()).filter((order) => !known.has(order.orderSn))
  if (fresh.length > 0) shopee.seed(fresh)
  const bytes = day.file('shopee.xlsx', () => shopeeWorkbook({ orders: plan.shopeeFile, password: SHOPEE_PASSWORD }))
  await importFile(day, bytes, { connection: 'shopee', fileName: 'shopee.xlsx', password: SHOPEE_PASSWORD })
  say(`Shopee file, encrypted: ${plan.shopeeFile.length} orders in`)
}

async function pullShopee({ plan, pull, api, until, say }: Day): Promise<void> {
  await pull()
  const wanted = plan.shopeeApi.map((order) => order.externalId)
  await until('every order of the Shopee API is in', async () => {
    const there = new Set((await api.orders()).map((order) => order.externalId))
    return wanted.every((id) => there.has(id))
  })
  say(`Shopee API: ${wanted.length} orders on 3 pages, ${plan.cast.inBoth.length} of them known from the file`)
}

async function place({ api }: Day, order: Record<string, unknown> & { externalId: string }): Promise<void> {
  if ((await api.order(order.externalId)) !== null) return
  const { status, body } = await api.post<{ detail?: string }>('/api/v1/orders', order)
  if (status >= 300) throw new Error(`store order ${order.externalId} was refused (${status}): ${body.detail ?? ''}`)
}

async function sellInStore(day: Day): Promise<void> {
  const { plan, say } = day
  const { neverComes } = plan.cast.tryOn
  const now = plan.store.filter((order) => order.externalId !== plan.cast.ranOut)
  for (const order of now) {
    const appointment = new Date(Date.now() + NO_SHOW_AFTER_MS).toISOString()
    await place(
      day,
      order.externalId === neverComes
        ? { ...order, delivery: { ...(order.delivery as object), promisedBy: appointment } }
        : order,
    )
  }
  say(`store: ${now.length} orders in, 4 of them to be tried on`)
}

async function runOut(day: Day): Promise<void> {
  const { plan, api, until, untilPhase, say } = day
  const scarce = plan.momo[0]?.lines[0]?.sku ?? ''
  const location = plan.stock.find((entry) => entry.sku === scarce)?.location ?? ''
  await until(`${scarce} is sold out`, async () => (await api.stock(scarce, location))?.available === 0)
  const order = plan.store.find((candidate) => candidate.externalId === plan.cast.ranOut)
  if (order) await place(day, order)
  await untilPhase([plan.cast.ranOut], 'waitingStock')
  say(`store: 1 more order, but ${scarce} has run out: it waits with a task`)
}

async function command({ api }: Day, externalId: string, verb: string, body: unknown = {}): Promise<void> {
  const answer = await api.post<{ detail?: string }>(`/api/v1/orders/${externalId}/${verb}`, body)
  if (answer.status >= 300) throw new Error(`${verb} ${externalId} was refused: ${answer.body.detail ?? answer.status}`)
}

async function confirmCod(day: Day): Promise<void> {
  const { plan, say } = day
  const onDelivery = [
    ...plan.shopeeFile.filter((order) => order.cod),
    ...plan.shopeeApi.filter((order) => order.cod),
    ...plan.store.filter((order) => order.kind === 'store' && (order.payment as { method: string }).method === 'cod'),
  ].map((order) => order.externalId)
  for (const id of onDelivery) {
    const phase = await day.until(`${id} waits for its confirmation`, async () => {
      const now = (await day.api.order(id))?.phase
      return now === undefined || now === 'received' || now === 'reserved' ? null : now
    })
    if (phase === 'confirming') await command(day, id, 'confirm')
  }
  await day.untilPhase(onDelivery, 'confirmed')
  say(`cash on delivery: ${onDelivery.length} customers called, all confirmed`)
}

async function tryOn(day: Day): Promise<void> {
  const { plan, say } = day
  const { keepsAll, keepsHalf, keepsNothing, neverComes } = plan.cast.tryOn
  const come = async (id: string, keep: Record<string, number>) => {
    const phase = await day.until(`the goods of ${id} are held in the store`, async () => {
      const now = (await day.api.order(id))?.phase
      return now === undefined || now === 'received' || now === 'reserved' ? null : now
    })
    if (phase !== 'tryOn') return
    await command(day, id, 'arrived')
    await command(day, id, 'decide', { keep })
  }
  await come(keepsAll, { 1: 1, 2: 1 })
  await come(keepsHalf, { 1: 1 })
  await come(keepsNothing, {})
  await day.untilPhase([keepsAll], 'delivered')
  const half = await day.until('the rest of the try-on waits for its confirmation', async () => {
    const now = (await day.api.order(keepsHalf))?.phase
    return now === 'confirming' || now === 'confirmed' ? now : null
  })
  if (half === 'confirming') await command(day, keepsHalf, 'confirm')
  await day.untilPhase([keepsHalf], 'confirmed')
  await day.untilPhase([keepsNothing, neverComes], 'cancelled')
  say('try-on: one keeps all, one keeps half, one releases all, one never came')
}

/** What Shopee tells by itself, twice as always; the pull then fetches the order. */
async function push({ shopee }: Day, orderSn: string): Promise<void> {
  for (let times = 2; times > 0; times--) {
    const { url, headers, body } = shopee.signedPush(orderSn)
    await fetch(url, { method: 'POST', headers, body })
  }
}

/** Before the warehouse opens, every order that can go is ready for it. */
async function untilReady(day: Day): Promise<void> {
  const { plan } = day
  const { delivered } = expectedEnd(plan)
  const gone = new Set([plan.cast.tryOn.keepsAll])
  await day.untilPhase([...delivered.filter((id) => !gone.has(id)), plan.cast.refused], 'confirmed')
}

async function changeOrders(day: Day): Promise<void> {
  const { plan, shopee, api, until, say } = day
  const { newAddress, moreQuantity, cancelledEarly } = plan.cast
  await untilReady(day)
  const at = (orderSn: string) => {
    const order = shopee.orders().find((candidate) => candidate.orderSn === orderSn)
    if (order === undefined) throw new Error(`Shopee has no order ${orderSn}`)
    return order
  }
  const [moving, growing] = [at(newAddress), at(moreQuantity)]
  if (moving.recipient.fullAddress !== plan.newAddress)
    shopee.edit(newAddress, { recipient: { ...moving.recipient, fullAddress: plan.newAddress } })
  if (growing.items[0]?.quantity !== 3)
    shopee.edit(moreQuantity, { items: growing.items.map((item) => ({ ...item, quantity: 3 })) })
  for (const id of cancelledEarly) if (at(id).status !== 'CANCELLED') shopee.cancel(id)
  for (const id of [newAddress, moreQuantity, ...cancelledEarly]) await push(day, id)
  await day.pull()
  await until('the new address has landed', async () => (await api.order(newAddress))?.recipient.address?.raw === plan.newAddress)
  await until('the new quantity has landed', async () => (await api.order(moreQuantity))?.lines[0]?.quantity === 3)
  await day.untilPhase(cancelledEarly, 'cancelled')
  await untilReady(day)
  say(`Shopee buyers: 1 new address, 1 larger quantity, ${cancelledEarly.length} cancelled; nothing of the cancelled is held`)
}

async function openWarehouse({ plan, wms, say, ...day }: Day): Promise<void> {
  wms.short(plan.cast.shortPick, 1)
  await day.openWarehouse()
  say('the warehouse opens: the first waves go out')
}

const ownParcels = (order: OrderAnswer) => order.parcels.filter((parcel) => !['void', 'refused'].includes(parcel.state))

/** Every order that can be sent has left the shelf, and each of its units has its waybill. */
async function bookParcels(day: Day): Promise<void> {
  const { plan, api, until, untilPhase, say } = day
  const sent = expectedEnd(plan).delivered.filter((id) => id !== plan.cast.tryOn.keepsAll)
  await untilPhase([...sent, plan.cast.refused], 'packed', (count) => `${count} of ${sent.length + 1} packed`)
  await abreast(sent, (id) =>
    until(`the parcels of ${id} are booked`, async () => {
      const order = await api.order(id)
      const parcels = order === null ? [] : ownParcels(order)
      const wanted = id === plan.cast.split || id === plan.cast.shortPick ? 2 : 1
      return parcels.length === wanted && parcels.every((parcel) => parcel.state === 'booked' && parcel.waybill !== null)
    }),
  )
  await until('a person is asked about the refused booking', async () =>
    (await api.openTasks()).some((task) => task.kind === 'booking.refused' && task.subject === plan.cast.refused),
  )
  say(`${sent.length} orders booked; 1 answer was lost and looked up, 1 booking refused twice and now a task`)
}

async function forgeWebhook({ plan, api, ecpay, say }: Day): Promise<void> {
  const order = await api.order(plan.momo[3]?.externalId ?? '')
  const [parcel] = order?.parcels ?? []
  if (parcel === undefined) throw new Error('the first momo order has no parcel')
  await ecpay.forge(parcel.reference)
  const answered = ecpay.callbacks().find((callback) => callback.forged)?.status
  say(`a forged report is refused (${answered})`)
}

/** The courier's reports, each twice, the later ones first. */
async function report({ ecpay, state }: Day, to: 'shipped' | 'delivered'): Promise<void> {
  const ofToday = ({ tradeDate }: { tradeDate: string }) =>
    Date.parse(`${tradeDate.replaceAll('/', '-').replace(' ', 'T')}+08:00`) >= Date.parse(state.startedAt) - 1_000
  await abreast(
    ecpay.parcels().filter((parcel) => !parcel.cancelled && ofToday(parcel)),
    async (parcel) => {
      const before = parcel.history.length
      await ecpay.advance(parcel.merchantTradeNo, { to, twice: true, shuffle: true })
      const last = parcel.history.at(-1)
      // Said before, but perhaps to nobody (a stop in the middle): the courier says it again.
      if (parcel.history.length === before && last) await ecpay.advance(parcel.merchantTradeNo, { code: last.code })
    },
  )
}

async function shopeeReports(day: Day, status: 'SHIPPED' | 'COMPLETED'): Promise<void> {
  for (const { externalId } of day.plan.shopeeApi.filter((order) => order.channelCarries)) {
    day.shopee.advance(externalId, status)
    await push(day, externalId)
  }
  await day.pull()
}

async function shipParcels(day: Day): Promise<void> {
  await report(day, 'shipped')
  await shopeeReports(day, 'SHIPPED')
  const sent = expectedEnd(day.plan).delivered.filter((id) => id !== day.plan.cast.tryOn.keepsAll)
  await day.untilPhase(sent, 'shipped', (count) => `${count} of ${sent.length} under way`)
}

async function cancelTooLate(day: Day): Promise<void> {
  const { plan, shopee, api, until, say } = day
  const id = plan.cast.cancelledLate
  const at = () => shopee.orders().find((order) => order.orderSn === id)
  await until('Shopee knows the tracking number', async () => at()?.trackingNumber !== null)
  if (at()?.status !== 'CANCELLED') shopee.cancel(id)
  await push(day, id)
  await day.pull()
  await until('a person hears of the late cancellation', async () =>
    (await api.openTasks()).some((task) => task.kind === 'cancel.refused' && task.subject === id),
  )
  say('a Shopee buyer cancels when the parcel is under way: refused, a task')
}

async function deliverParcels(day: Day): Promise<void> {
  const { delivered } = expectedEnd(day.plan)
  const reporting = report(day, 'delivered')
  const waiting = day.untilPhase(delivered, 'delivered', (count) => `${count} of ${delivered.length} delivered`)
  await Promise.all([reporting.then(() => shopeeReports(day, 'COMPLETED')), waiting])
}

/** Tracking numbers, labels, cancellations: all told before the day is called over. */
async function tellEverybody(day: Day): Promise<void> {
  const { plan, api, until, say } = day
  const { delivered, cancelled } = expectedEnd(plan)
  await abreast([...delivered, ...cancelled], (id) =>
    until(`everything of ${id} is told`, async () => {
      const order = await api.order(id)
      return order?.closed === true && order.owed.every((fact) => fact.state !== 'due')
    }),
  )
  say('tracking numbers are at Shopee and in momo’s workbook')
}
