/** Orders brought to each state in which a person may want something of them, by the real steps and a courier in this process. */
import { applyAdvice } from '../../activities/advice.ts'
import { applyParcelReport } from '../../activities/parcelNews.ts'
import type { Runtime } from '../../activities/runtime.ts'
import type { ParcelMeaning, ShipmentAdvice } from '../../connectors/kit/types.ts'
import type { Verb } from '../../store/commands.ts'
import { SagaPlayer } from '../model/sagaPlayer.ts'
import { standInCourier } from '../saga/standInCourier.ts'
import { advice, lines, type Change, type Spine } from './spineFixture.ts'

const cash = (amountDueMinor: number): Change['payment'] => ({ method: 'cod', state: 'pending', amountDueMinor, currency: 'TWD' })
const NORTH: Change = { lines: lines(['TEE-S', 2]) }
const COD: Change = { ...NORTH, payment: cash(26_000) }
const SOUTH: Change = { lines: lines(['CAP', 2]) }
const TRY_ON: Change = {
  kind: 'tryOn',
  lines: lines(['TEE-S', 1], ['TEE-M', 2]),
  payment: cash(30_000),
  delivery: { location: 'shop' },
}
const PICKUP: Change = { kind: 'store', delivery: { method: 'storePickup', location: 'shop' } }

/** In the order in which an order may come by them. */
export type StateName = keyof ReturnType<typeof orderStates>['states']

export function orderStates(spine: Spine) {
  const courier = standInCourier('ecpay')
  const runtime: Runtime = {
    ...spine.runtime,
    connection: async (name, options) => {
      const real = await spine.runtime.connection(name, options)
      return name === 'ecpay' ? { ...real, connector: courier.connector } : real
    },
  }
  let reports = 0
  const play = async (id: string, { calls = true } = {}) => {
    await new SagaPlayer(runtime, id, { calls }).rest()
    return id
  }
  const place = async (change: Change) => play(await spine.place(change))
  const say = async (id: string, verb: Verb, detail: Record<string, unknown> = {}) => {
    const { state, answer } = await spine.command(id, verb, detail)
    if (state !== 'done') throw new Error(`${verb} was refused: ${answer}`)
    return play(id)
  }
  const tell = async (id: string, status: ShipmentAdvice['status'], short = 0) => {
    const [unit] = (await spine.order(id)).units
    if (unit === undefined) throw new Error(`order ${id} has no unit`)
    const told = unit.lines.map(({ lineId, quantity }): [string, number, number] => [lineId, quantity - short, short])
    await applyAdvice(runtime.pool, advice(unit.id, status, status === 'packed' ? told : []))
    return play(id)
  }
  const news = async (id: string, ...meanings: ParcelMeaning[]) => {
    const [parcel] = (await spine.order(id)).parcels
    for (const meaning of meanings) {
      reports += 1
      const eventAt = new Date(Date.UTC(2026, 10, 22, 4, 0, reports)).toISOString()
      const told = {
        reference: parcel?.reference ?? '',
        courierBookingId: null,
        waybill: null,
        code: meaning,
        meaning,
        detail: meaning,
        eventAt,
      }
      await applyParcelReport(runtime.pool, reports, told, 1_000)
    }
    return play(id)
  }
  const handedOver = async (change: Change = NORTH) => {
    const id = await place(change)
    if (change.payment?.method === 'cod') await say(id, 'confirm')
    await spine.handOver(id)
    return id
  }
  const refused = async (change: Change) => {
    courier.plan.otherwise = 'refuse'
    const id = await place(change)
    if (change.payment?.method === 'cod') await say(id, 'confirm')
    await say(id, 'packed')
    courier.reset()
    return id
  }
  const tooLate = async (id: string) => {
    const { state } = await spine.command(id, 'change', { recipient: { name: '林小華' } }, { who: 'channel:store' })
    if (state !== 'refused') throw new Error(`order ${id} was changed`)
    return play(id)
  }
  const booked = async (change?: Change) => tell(await handedOver(change), 'packed')
  const left = async () => news(await booked(), 'shipped')
  const arrived = async () => say(await place(TRY_ON), 'arrived')

  const states = {
    'taken in': () => spine.place(NORTH),
    'an article is not known': () => place({ lines: lines(['NEVER-HEARD-OF', 1]) }),
    'its pickup store is not named': () => place({ ...NORTH, delivery: { method: 'cvs', cvs: null } }),
    'waits for stock': () => place({ lines: lines(['RARE', 1]) }),
    'waits for the customer to confirm': () => place(COD),
    'waits for its payment': () =>
      place({ ...NORTH, payment: { method: 'prepaid', state: 'pending', amountDueMinor: 0, currency: 'TWD' } }),
    'held by its channel': () => place({ ...NORTH, onHold: true }),
    'kept for a try-on': () => place(TRY_ON),
    'tried on now': arrived,
    'kept after a try-on': async () => say(await arrived(), 'decide', { keep: { 1: 1 } }),
    'waits for the next wave': () => place(NORTH),
    'waits for a person to pack it': () => place(SOUTH),
    'being picked': () => handedOver(),
    'being picked, and changed too late': async () => tooLate(await handedOver()),
    'packed by a person, and changed too late': async () => tooLate(await say(await place(SOUTH), 'packed')),
    'not all of it was found': async () => tell(await handedOver({ lines: lines(['TEE-S', 2], ['CAP', 1]) }), 'packed', 1),
    'packed and booked': () => booked(),
    'packed and booked against cash': () => booked(COD),
    'refused by the courier': () => refused(SOUTH),
    'refused by the courier, for a convenience store': () =>
      refused({ ...SOUTH, delivery: { method: 'cvs', cvs: { chain: 'FAMI', storeId: '006598' } } }),
    'waits to be collected': () => place(PICKUP),
    'its cancellation waits for the warehouse': async () => say(await handedOver(), 'cancel'),
    'left while it was being cancelled': async () => {
      const id = await booked()
      await say(id, 'cancel')
      return news(id, 'shipped')
    },
    'on its way': left,
    'on its way back': async () => news(await left(), 'returning'),
    'came back': async () => news(await left(), 'returning', 'returned'),
    delivered: async () => news(await left(), 'delivered'),
    collected: async () => say(await place(PICKUP), 'collected'),
    cancelled: async () => say(await place(NORTH), 'cancel'),
  }
  return { states, play, runtime, courier }
}
