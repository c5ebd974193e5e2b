/**
 * A warehouse with the REST profile, written from its published description. Loopback only. It takes waves, cancellations and labels
 * once by their key, and picks and packs a unit at once. Control: GET /_sim/units · POST /_sim/answers · /_sim/faults.
 */
import { startSimServer, type SimAnswer, type SimRequest, type SimServer } from '../kit/server.ts'

export interface SimUnit {
  unitId: string
  lines: { lineId: string; sku: string; quantity: number }[]
  state: 'packed' | 'shipped' | 'cancelled'
  waybill: string | null
}
export interface SimAnswerRow {
  id: string
  unitId: string
  [field: string]: unknown
}
export interface WmsRestSimulator extends SimServer {
  apiKey: string
  units(): SimUnit[]
  /** How often each kind of request did something, repeats not counted. */
  done(kind: 'wave' | 'cancel' | 'label'): number
  /** Says something of its own accord, also what no warehouse should. */
  answer(row: Record<string, unknown>): void
  /** The next request is answered 401. */
  expireKey(): void
  waiting(): SimAnswerRow[]
}

const refused = (status: number, code: string, message: string): SimAnswer => ({ status, body: { code, message } })
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isCount = (value: unknown, least: number) => Number.isInteger(value) && (value as number) >= least
const objectOf = (value: unknown) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null)

/** @returns the first thing that is wrong with an order of a wave, or null. */
function wrongOrder(value: unknown): string | null {
  const order = objectOf(value)
  if (!order) return 'orders'
  for (const name of ['unitId', 'orderId', 'orderNumber']) if (!isText(order[name])) return `orders.${name}`
  const [recipient, delivery, lines] = [objectOf(order.recipient), objectOf(order.delivery), order.lines]
  if (!recipient) return 'orders.recipient'
  for (const name of ['name', 'phone', 'postalCode', 'address'])
    if (recipient[name] !== null && !isText(recipient[name])) return `orders.recipient.${name}`
  if (!isText(delivery?.method)) return 'orders.delivery.method'
  if (!Array.isArray(lines) || lines.length === 0) return 'orders.lines'
  const wrong = lines.some((line) => {
    const { lineId, sku, quantity } = objectOf(line) ?? {}
    return !isText(lineId) || !isText(sku) || !isCount(quantity, 1)
  })
  return wrong ? 'orders.lines' : null
}

export async function startWmsRestSimulator(options: { pageCap?: number; port?: number } = {}): Promise<WmsRestSimulator> {
  const apiKey = 'wms-rest-key-of-the-stand-in'
  const units = new Map<string, SimUnit>()
  const keys = new Set<string>()
  const counts = { wave: 0, cancel: 0, label: 0 }
  let answers: SimAnswerRow[] = []
  let serial = 0
  let expired = false

  function answer(row: Record<string, unknown>): void {
    const at = { id: `a${String(++serial).padStart(6, '0')}`, eventAt: new Date().toISOString() }
    answers.push({ unitId: '', ...at, ...row })
  }
  const picked = (unit: SimUnit) => unit.lines.map(({ lineId, quantity }) => ({ lineId, picked: quantity, short: 0 }))

  function takeWave(json: Record<string, unknown>): SimAnswer {
    if (!isText(json.waveId) || !isText(json.location) || !isText(json.createdAt))
      return refused(422, 'invalid', 'waveId, location and createdAt are required')
    if (!Array.isArray(json.orders) || json.orders.length === 0) return refused(422, 'invalid', 'orders: at least one')
    const wrong = json.orders.map(wrongOrder).find((field) => field !== null)
    if (wrong) return refused(422, 'invalid', `${wrong} is not as described`)
    counts.wave += 1
    for (const order of json.orders as SimUnit[]) {
      if (units.has(order.unitId)) continue
      const unit: SimUnit = { unitId: order.unitId, lines: order.lines, state: 'packed', waybill: null }
      units.set(unit.unitId, unit)
      answer({ unitId: unit.unitId, status: 'picked', lines: picked(unit) })
      answer({ unitId: unit.unitId, status: 'packed', lines: picked(unit), weightGrams: 800 })
    }
    return { body: { accepted: json.orders.length } }
  }

  function change(unit: SimUnit, what: 'cancel' | 'label', json: Record<string, unknown>): SimAnswer {
    if (what === 'cancel') {
      if (typeof json.reason !== 'string') return refused(422, 'invalid', 'reason is required')
      counts.cancel += 1
      if (unit.state === 'shipped') answer({ unitId: unit.unitId, status: 'cancelRefused', reason: 'it has left' })
      else {
        unit.state = 'cancelled'
        answer({ unitId: unit.unitId, status: 'cancelled' })
      }
      return { body: {} }
    }
    if (!isText(json.waybill) || !isText(json.courier) || !isCount(json.amountDueMinor, 0))
      return refused(422, 'invalid', 'waybill, courier and amountDueMinor are required')
    counts.label += 1
    unit.waybill = json.waybill
    unit.state = 'shipped'
    answer({ unitId: unit.unitId, status: 'shipped', lines: picked(unit) })
    return { body: {} }
  }

  function page(query: Record<string, string>): SimAnswer {
    const limit = Math.min(Number(query.limit ?? 100), options.pageCap ?? 1000)
    if (!isCount(limit, 1)) return refused(422, 'invalid', 'limit must be a number from 1')
    const from = query.after === undefined ? 0 : answers.findIndex(({ id }) => id === query.after) + 1
    const shown = answers.slice(from, from + limit)
    return { body: { answers: shown, more: from + shown.length < answers.length } }
  }

  function write(request: SimRequest): SimAnswer {
    const json = objectOf(request.json)
    if (!json) return refused(422, 'invalid', 'a JSON object is required')
    if (request.path === '/answers/acknowledge') {
      const at = answers.findIndex(({ id }) => id === json.through)
      answers = answers.slice(at + 1) // an id that is gone was acknowledged before
      return { body: {} }
    }
    const key = request.headers['idempotency-key']
    if (!key) return refused(400, 'key', 'Idempotency-Key is required')
    const known = `${request.path} ${key}`
    if (keys.has(known)) return { body: { repeated: true } }
    const [, unitId = '', what] = /^\/units\/([^/]+)\/(cancel|label)$/.exec(request.path) ?? []
    const unit = units.get(decodeURIComponent(unitId))
    if (request.path !== '/waves' && !what) return refused(404, 'path', 'no such path')
    if (what && !unit) return refused(404, 'unit', 'no such unit')
    const done = what && unit ? change(unit, what as 'cancel' | 'label', json) : takeWave(json)
    if (done.status === undefined) keys.add(known)
    return done
  }

  const server = await startSimServer({
    port: options.port,
    handle(request) {
      if (expired || request.headers.authorization !== `Bearer ${apiKey}`) {
        expired = false
        return refused(401, 'key', 'the key is not known')
      }
      if (request.method === 'POST') return write(request)
      if (request.path === '/account') return { body: { warehouse: 'Taipei 1' } }
      return request.path === '/answers' ? page(request.query) : refused(404, 'path', 'no such path')
    },
    refuse: (fault) => refused(fault.status ?? 422, fault.code ?? 'refused', fault.message ?? 'refused'),
    control(request) {
      if (request.route === '/units') return { body: { units: [...units.values()] } }
      if (request.route !== '/answers' || request.method !== 'POST') return null
      answer((request.json ?? {}) as Record<string, unknown>)
      return { body: { ok: true } }
    },
  })
  return {
    ...server,
    apiKey,
    units: () => structuredClone([...units.values()]),
    done: (kind) => counts[kind],
    answer,
    expireKey: () => {
      expired = true
    },
    waiting: () => structuredClone(answers),
  }
}
