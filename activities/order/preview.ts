/**
 * What an action would do, without doing it: the same verb and the steps that follow it by themselves, in a transaction that is rolled
 * back, and what differs. No other system is called: what would be asked of them is told.
 */
import { nextStage } from '../../domain/stages.ts'
import { FINISHED_UNIT, type OrderView } from '../../domain/view.ts'
import { giveCommand, type Verb } from '../../store/commands.ts'
import type { Pool } from '../../store/db.ts'
import { createReserver } from '../../store/ledger/reserver.ts'
import { changeOrder, readOrder } from '../../store/orderRecord.ts'
import { rehearse } from '../../store/rehearsal.ts'
import { saveParcel } from '../../store/units.ts'
import { leaveBookingToOthers } from '../packing/sharedBox.ts'
import type { Runtime } from '../runtime.ts'
import { look } from './look.ts'
import { obey } from './obey.ts'
import { changedLater } from './previewLater.ts'
import { differencesOf, stateOf, type Difference } from './previewState.ts'
import { createOrderSteps, type OrderSteps } from './steps.ts'

export interface Preview {
  action: string
  /** False: it would be refused, and `answer` says why. */
  possible: boolean
  answer: string
  changes: Difference[]
  /** What is changed only once its goods are back. */
  later: Difference[]
  /** What other systems would then be asked, in words. */
  asks: string[]
}

export interface PreviewOf {
  orderId: string
  verb: Verb
  detail: Record<string, unknown>
  who: string
  taskId?: number
}

/** Nobody is rung by what is only rehearsed. */
const NOBODY = { withDeadline: () => Promise.resolve() } as unknown as Runtime['temporal']

/** More than any path takes by itself; a preview never runs for ever. */
const MOST_STEPS = 30

/** Work on a runtime where nothing stays and nobody is rung. */
export const onStage = <T>(runtime: Runtime, work: (stage: Runtime) => Promise<T>): Promise<T> =>
  rehearse(runtime.pool, async (pool) => {
    const reserver = createReserver(pool, { lanes: 1 })
    try {
      return await work({ ...runtime, pool, reserver, temporal: NOBODY })
    } finally {
      await reserver.close()
    }
  })

export const preview = (runtime: Runtime, asked: PreviewOf): Promise<Preview> =>
  onStage(runtime, async (stage) => {
    // Nobody else may change it between the two looks.
    await stage.pool.query('select from orders where id = $1 for update', [asked.orderId])
    const before = await stateOf(stage.pool, asked.orderId)
    const { id } = await giveCommand(stage.pool, asked)
    const { state, answer } = await obey(stage, asked.orderId, id)
    const possible = state === 'done'
    const asks = possible ? await goOn(stage, asked.orderId) : []
    const changes = possible ? differencesOf(before, await stateOf(stage.pool, asked.orderId)) : []
    const later = possible ? await changedLater(stage, asked.orderId) : []
    return { action: asked.verb, possible, answer, changes, later, asks }
  })

/** On stage: what the saga then does by itself. @returns what other systems would be asked. */
export async function goOn(stage: Runtime, orderId: string): Promise<string[]> {
  return await inWords(stage.pool, orderId, await follow(stage, orderId, await look(stage, orderId)))
}

type Step = Exclude<keyof OrderSteps, 'begin' | 'obey'>
interface Ask {
  what: 'book' | 'cancel' | 'rebook'
  parcelId: string
}

/** The saga's steps as far as they need nobody's answer. */
async function follow(stage: Runtime, orderId: string, begun: OrderView): Promise<Ask[]> {
  const steps = createOrderSteps(stage)
  const asks: Ask[] = []
  let view = begun
  let course = view.course
  let done = new Set<string>()
  for (let taken = 0; taken < MOST_STEPS && !view.facts.includes('closed'); taken++) {
    if (view.course !== course) [course, done] = [view.course, new Set()]
    const next = stepsOf(view).find(([step, ...args]) => !done.has([step, ...args].join(' ')))
    if (next === undefined) break
    const [step, ...args] = next
    done.add(next.join(' '))
    if (step === 'releaseAll') asks.push(...(await callOff(stage, orderId)))
    view = await (steps[step] as (...all: string[]) => Promise<OrderView>)(orderId, ...args)
  }
  const cancelling = view.facts.includes('cancelled') || view.facts.includes('cancelRequested')
  for (const { parcel, isRebooked } of view.units) {
    if (parcel === null) continue
    if (cancelling && ['sent', 'booked'].includes(parcel.state)) asks.push({ what: 'cancel', parcelId: parcel.id })
    else if (!cancelling && isRebooked) asks.push({ what: 'rebook', parcelId: parcel.id })
    else if (!cancelling && parcel.state === 'intended') asks.push({ what: 'book', parcelId: parcel.id })
  }
  return asks
}

/** Bookings are cancelled before the goods are released; one that its courier does not cancel is void here, too. */
async function callOff(stage: Runtime, orderId: string): Promise<Ask[]> {
  const asks: Ask[] = []
  const { parcels } = await readOrder(stage.pool, orderId)
  for (const parcel of parcels.filter(({ state }) => ['intended', 'sent', 'booked'].includes(state))) {
    if (await leaveBookingToOthers(stage, await readOrder(stage.pool, orderId), parcel)) continue
    if (parcel.state !== 'intended') asks.push({ what: 'cancel', parcelId: parcel.id })
    await changeOrder(stage.pool, orderId, 'saga', async (record, tx) => {
      const mine = record.parcels.find(({ id }) => id === parcel.id)
      if (mine !== undefined) await saveParcel(tx, Object.assign(mine, { state: 'void' as const }))
    })
  }
  return asks
}

/** As workflows/order/order.ts takes them, less the calls. */
function stepsOf(view: OrderView): [Step, ...string[]][] {
  const stage = nextStage(view)
  const open = view.units.filter(({ state }) => !FINISHED_UNIT.has(state))
  switch (stage) {
    case 'check':
    case 'reserve':
    case 'route':
    case 'close':
      return [[stage]]
    case 'confirm':
      return [['askConfirmation']]
    case 'tryOn':
      return view.facts.includes('tryOnHeld') ? [] : [['holdForTryOn']]
    case 'undo':
      return open.some(({ state }) => state === 'recalling' || state === 'shipped') ? [['recall']] : [['recall'], ['releaseAll']]
    case 'fulfil':
      return [
        ...(view.missing > 0 ? [['reRoute'] as [Step]] : []),
        ...open.flatMap((unit): [Step, string][] => {
          if (unit.leaves === 'counter') return unit.state === 'planned' ? [['handOver', unit.id]] : []
          if (unit.state === 'planned') return [['queueForWave', unit.id]]
          const mayBook = unit.parcel === null || unit.parcel.state === 'refused' || unit.parcel.state === 'void'
          return unit.state === 'packed' && mayBook && unit.bookings < unit.bookingsAllowed ? [['intendParcel', unit.id]] : []
        }),
      ]
  }
}

async function inWords(pool: Pool, orderId: string, asks: readonly Ask[]): Promise<string[]> {
  if (asks.length === 0) return []
  const { parcels } = await readOrder(pool, orderId)
  return asks.flatMap(({ what, parcelId }) => {
    const parcel = parcels.find(({ id }) => id === parcelId)
    // What goes along in the box of another has no booking of its own.
    if (parcel === undefined || parcel.ridesIn !== null) return []
    const cash = parcel.amountDueMinor > 0 ? `, ${parcel.amountDueMinor / 100} to collect` : ''
    return what === 'book'
      ? [`${parcel.courier} is asked to book a parcel${cash}`]
      : [
          `${parcel.courier} is asked to cancel ${parcel.waybill ?? parcel.reference}${what === 'rebook' ? ', then to book it anew' : ''}; it may refuse`,
        ]
  })
}
