/** What happens inside the warehouse: units come in, are picked and packed, advices go out. No files here. */
import { childOf, childrenOf, readOrder, textOf } from './format.ts'
import type { Advice, Node, OrderedUnit } from './format.ts'

export type SimulatedState = 'received' | 'picked' | 'packed' | 'shipped' | 'cancelled' | 'nothingThere'

export interface SimulatedUnit extends Omit<OrderedUnit, 'lines'> {
  state: SimulatedState
  lines: (OrderedUnit['lines'][number] & { picked: number; short: number })[]
  weightGrams: number | null
  waybill: string | null
  courier: string | null
  /** Cash to collect, minor units, as the label says. */
  amountDueMinor: number | null
  /** ISO 8601: of the last change of `state`. */
  changedAt: string
}

/** Everything the warehouse knows; plain data, so that it can be kept over a restart. */
export interface WarehouseState {
  units: SimulatedUnit[]
  /** Advices not yet written to a file; `ticks`: how many more rounds they wait. */
  outgoing: { advice: Advice; ticks: number; copy?: boolean }[]
  shorts: { selector: string; quantity: number }[]
  cancelRefusals: { selector: string | null; reason: string }[]
  answeredKeys: string[]
  /** Cancelled before they came. */
  unwanted: string[]
  problems: string[]
  repeats: number
  fileSerial: number
  adviceSerial: number
}

export const emptyWarehouse = (): WarehouseState => ({
  units: [],
  outgoing: [],
  shorts: [],
  cancelRefusals: [],
  answeredKeys: [],
  unwanted: [],
  problems: [],
  repeats: 0,
  fileSerial: 0,
  adviceSerial: 0,
})

export interface Rules {
  /** Null: every SKU is known. */
  skus: ReadonlySet<string> | null
  /** Whether a packed unit with a label is reported as shipped. */
  ships: boolean
  stepMs: number
  weightGrams(unit: SimulatedUnit): number
}

const matches = (unit: SimulatedUnit, selector: string): boolean =>
  unit.unitId === selector || unit.orderNumber === selector || unit.orderId === selector

function advise(state: WarehouseState, unitId: string, status: Advice['status'], now: Date, more: Partial<Advice> = {}): void {
  state.adviceSerial++
  const advice: Advice = {
    adviceId: `A${state.adviceSerial}`,
    unitId,
    status,
    eventAt: now.toISOString(),
    weightGrams: null,
    reason: null,
    lines: [],
    ...more,
  }
  state.outgoing.push({ advice, ticks: 0 })
}

/** A document of the orders folder. @returns what is wrong with it, or null. */
export function receive(state: WarehouseState, root: Node, now: Date): string | null {
  if (root.name === 'Wave') return receiveWave(state, root, now)
  if (root.name === 'Cancel') return receiveCancel(state, root, now)
  if (root.name === 'Label') return receiveLabel(state, root)
  return `unknown document ${root.name}`
}

function receiveWave(state: WarehouseState, root: Node, now: Date): string | null {
  const location = textOf(root, 'Location')
  if (location === null || textOf(root, 'WaveId') === null) return 'a wave without WaveId or Location'
  const orders = childrenOf(childOf(root, 'Orders'), 'Order')
  if (orders.length === 0) return 'a wave without orders'
  for (const order of orders) {
    const read = readOrder(order, location)
    if (typeof read === 'string') {
      state.problems.push(read)
    } else if (state.units.some(({ unitId }) => unitId === read.unitId)) {
      state.repeats++
    } else {
      state.units.push({
        ...read,
        lines: read.lines.map((line) => ({ ...line, picked: 0, short: 0 })),
        state: state.unwanted.includes(read.unitId) ? 'cancelled' : 'received',
        weightGrams: null,
        waybill: null,
        courier: null,
        amountDueMinor: null,
        changedAt: now.toISOString(),
      })
    }
  }
  return null
}

function receiveCancel(state: WarehouseState, root: Node, now: Date): string | null {
  const unitId = textOf(root, 'UnitId')
  const key = textOf(root, 'Key')
  if (unitId === null || key === null) return 'a cancellation without UnitId or Key'
  if (state.answeredKeys.includes(key)) return null
  state.answeredKeys.push(key)
  const unit = state.units.find((other) => other.unitId === unitId)
  if (unit === undefined) {
    state.unwanted.push(unitId)
    advise(state, unitId, 'cancelled', now, { reason: 'not here; will not be picked when it comes' })
    return null
  }
  const refusal = state.cancelRefusals.find(({ selector }) => selector === null || matches(unit, selector))
  if (refusal !== undefined) advise(state, unitId, 'cancelRefused', now, { reason: refusal.reason })
  else if (unit.state === 'packed' || unit.state === 'shipped')
    advise(state, unitId, 'cancelRefused', now, { reason: `already ${unit.state}` })
  else {
    if (unit.state !== 'cancelled') change(unit, 'cancelled', now)
    advise(state, unitId, 'cancelled', now)
  }
  return null
}

function receiveLabel(state: WarehouseState, root: Node): string | null {
  const unitId = textOf(root, 'UnitId')
  const waybill = textOf(root, 'Waybill')
  const amount = Number(textOf(root, 'AmountDueMinor') ?? Number.NaN)
  if (unitId === null || waybill === null || !Number.isInteger(amount)) return 'a label without UnitId, Waybill or AmountDueMinor'
  const unit = state.units.find((other) => other.unitId === unitId)
  if (unit === undefined) return `a label for unit ${unitId}, which is not here`
  Object.assign(unit, { waybill, courier: textOf(root, 'Courier'), amountDueMinor: amount })
  return null
}

function change(unit: SimulatedUnit, state: SimulatedState, now: Date): void {
  unit.state = state
  unit.changedAt = now.toISOString()
}

/** One step of every unit whose time has come; higher priority first. */
export function work(state: WarehouseState, rules: Rules, now: Date): void {
  const due = state.units.filter(({ changedAt }) => now.getTime() - Date.parse(changedAt) >= rules.stepMs)
  for (const unit of due.toSorted((a, b) => b.priority - a.priority)) {
    if (unit.state === 'received') pick(state, unit, rules, now)
    else if (unit.state === 'picked') pack(state, unit, rules, now)
    else if (unit.state === 'packed' && rules.ships && unit.waybill !== null) {
      change(unit, 'shipped', now)
      advise(state, unit.unitId, 'shipped', now, { weightGrams: unit.weightGrams, lines: counted(unit) })
    }
  }
}

const counted = (unit: SimulatedUnit): Advice['lines'] =>
  unit.lines.map(({ lineId, picked, short }) => ({ lineId, picked, short }))

function pick(state: WarehouseState, unit: SimulatedUnit, rules: Rules, now: Date): void {
  const reasons: string[] = []
  for (const line of unit.lines) {
    const unknown = rules.skus !== null && !rules.skus.has(line.sku)
    if (unknown) reasons.push(`unknown SKU ${line.sku}`)
    line.short = unknown ? line.quantity : takeShort(state, unit, line.sku, line.quantity)
    line.picked = line.quantity - line.short
    if (line.short > 0 && !unknown) reasons.push(`${line.sku}: ${line.short} not found`)
  }
  const nothing = unit.lines.every(({ picked }) => picked === 0)
  change(unit, nothing ? 'nothingThere' : 'picked', now)
  advise(state, unit.unitId, 'picked', now, { lines: counted(unit), reason: reasons.length === 0 ? null : reasons.join('; ') })
}

/** Of what is told to be missing (by SKU or by order), as much as this line takes. */
function takeShort(state: WarehouseState, unit: SimulatedUnit, sku: string, quantity: number): number {
  let missing = 0
  for (const short of state.shorts) {
    if (short.selector !== sku && !matches(unit, short.selector)) continue
    const taken = Math.min(short.quantity, quantity - missing)
    short.quantity -= taken
    missing += taken
  }
  return missing
}

function pack(state: WarehouseState, unit: SimulatedUnit, rules: Rules, now: Date): void {
  unit.weightGrams = rules.weightGrams(unit)
  change(unit, 'packed', now)
  advise(state, unit.unitId, 'packed', now, { weightGrams: unit.weightGrams, lines: counted(unit) })
}
