/**
 * The saga of one order: check, reserve, try-on, confirm, route, pick and pack, ship, track, close.
 * Its input is the order's id. It always goes on at the first stage that is not yet true, so it can be started again from
 * PostgreSQL at any time, and a cancellation or a change simply makes another stage the first.
 */
import { nextStage, type Stage } from '../../domain/stages.ts'
import { FINISHED_UNIT } from '../../domain/view.ts'
import { Saga } from './saga.ts'

export async function order(orderId: string): Promise<void> {
  const saga = await Saga.begin(orderId)
  while (!saga.is('closed')) await saga.interruptible(STAGES[nextStage(saga.view)])
  await saga.finishConversations()
}

/** Their order is written in domain/stages.ts and nowhere else. */
const STAGES: Record<Stage, (saga: Saga) => Promise<void>> = { check, reserve, tryOn, confirm, route, fulfil, undo, close }

/** Unknown goods, wrong amounts, an address nobody can deliver to: a person mends it, the order waits. */
async function check(saga: Saga): Promise<void> {
  await saga.do('check')
  await saga.until(() => saga.is('checked'))
}

async function reserve(saga: Saga): Promise<void> {
  await saga.do('reserve')
  await saga.until(() => saga.is('reserved'))
}

/** The goods wait at the store for the customer, who comes and keeps some, all or nothing, or does not come. */
async function tryOn(saga: Saga): Promise<void> {
  if (!saga.is('tryOnHeld')) await saga.do('holdForTryOn')
  const customerCame = await saga.until(() => saga.is('tryOnArrived') || saga.is('tryOnDecided'), timeTo(saga.view.tryOnUntil))
  if (!customerCame) return await saga.do('noShow')
  const decided = await saga.until(() => saga.is('tryOnDecided'), saga.policy.tryOnDecisionMs)
  if (!decided) await saga.do('remindOfTryOn')
  await saga.until(() => saga.is('tryOnDecided'))
}

/** Prepaid orders are confirmed at once, cash on delivery when the customer has said so. */
async function confirm(saga: Saga): Promise<void> {
  await saga.do('askConfirmation')
  const confirmed = await saga.until(() => saga.is('confirmed'), saga.is('confirmed') ? undefined : saga.policy.confirmTimeoutMs)
  if (!confirmed) await saga.do('remindOfConfirmation')
  await saga.until(() => saga.is('confirmed'))
}

/** Each location that ships or hands over some of the lines gets a unit. */
async function route(saga: Saga): Promise<void> {
  await saga.do('route')
  await saga.until(() => saga.is('routed'))
}

/** Every unit goes its way side by side; what a warehouse did not find is looked for elsewhere. */
async function fulfil(saga: Saga): Promise<void> {
  const underWay = new Map<string, Promise<unknown>>()
  const failures: unknown[] = []
  const waiting = () => saga.openUnits().filter((unit) => !underWay.has(unit.id))
  try {
    while (saga.openUnits().length > 0 || saga.view.missing > 0) {
      if (saga.view.missing > 0) await saga.do('reRoute')
      const missing = saga.view.missing
      for (const { id } of waiting())
        underWay.set(
          id,
          fulfilUnit(saga, id).catch((error: unknown) => failures.push(error)),
        )
      await saga.until(
        () =>
          failures.length > 0 ||
          waiting().length > 0 ||
          saga.view.missing !== missing ||
          (missing === 0 && saga.openUnits().length === 0),
      )
      if (failures.length > 0) throw failures[0]
    }
  } finally {
    await Promise.all(underWay.values())
  }
}

async function fulfilUnit(saga: Saga, unitId: string): Promise<void> {
  if (saga.unit(unitId).leaves === 'counter') return await handOver(saga, unitId)
  await pickAndPack(saga, unitId)
  if (saga.unit(unitId).state === 'cancelled') return
  await ship(saga, unitId)
  await track(saga, unitId)
}

async function handOver(saga: Saga, unitId: string): Promise<void> {
  await saga.do('handOver', unitId)
  await saga.until(() => FINISHED_UNIT.has(saga.unit(unitId).state))
}

/** The unit goes to the warehouse with the next wave; the answers come back by feed. */
async function pickAndPack(saga: Saga, unitId: string): Promise<void> {
  if (saga.unit(unitId).state === 'planned') await saga.do('queueForWave', unitId)
  await saga.until(() => !['ready', 'handedOver', 'picked'].includes(saga.unit(unitId).state))
}

/** Booked once: the intent is written before anything is sent. The courier says no: another try, then a task. A wrong label is made anew. */
async function ship(saga: Saga, unitId: string): Promise<void> {
  for (;;) {
    const { parcel, bookings, bookingsAllowed, isRebooked, isBookingAsked } = saga.unit(unitId)
    if (parcel !== null && isRebooked) {
      await reached(saga, unitId, saga.courier('cancelBooking', parcel.connector, parcel.id))
      continue
    }
    if (parcel !== null && !['intended', 'sent', 'refused', 'void'].includes(parcel.state)) return
    if (parcel === null || parcel.state === 'refused' || parcel.state === 'void') {
      if (bookings >= bookingsAllowed) {
        await saga.do('askAboutRefusal', unitId)
        await saga.until(() => saga.unit(unitId).bookingsAllowed > bookings)
      } else if (parcel?.state === 'refused' && !isBookingAsked) {
        // A repeat of our own waits; these are the last that are allowed, however many were asked for.
        const waitMs = saga.policy.bookingRetryMs.at(bookings - bookingsAllowed)
        if (waitMs !== undefined) await saga.until(() => false, waitMs)
      }
      await saga.do('intendParcel', unitId)
      // No courier serves this location: a task says so, and a person's retry comes back here.
      await saga.until(() => saga.unit(unitId).bookings > bookings)
      continue
    }
    await reached(saga, unitId, saga.courier('book', parcel.connector, parcel.id))
  }
}

/** A courier that cannot be reached is asked again after a while. */
async function reached(saga: Saga, unitId: string, call: Promise<boolean>): Promise<void> {
  if (await call) return
  await saga.do('courierUnreachable', unitId)
  await saga.until(() => false, saga.policy.courierRetryMs)
}

async function track(saga: Saga, unitId: string): Promise<void> {
  await saga.until(() => FINISHED_UNIT.has(saga.unit(unitId).state))
}

/** In reverse, from the facts: what left the shelf comes back, what was booked is called off, what was held is released. */
async function undo(saga: Saga): Promise<void> {
  await saga.do('recall')
  // What left meanwhile cannot be undone: it has a task, and a person may let the order go on.
  await saga.until(() => !saga.view.units.some((unit) => unit.state === 'recalling' || unit.state === 'shipped'))
  for (const { parcel } of saga.view.units) {
    if (parcel === null || !['intended', 'sent', 'booked'].includes(parcel.state)) continue
    if (!(await saga.courier('cancelBooking', parcel.connector, parcel.id))) await saga.do('bookingNotCancelled', parcel.id)
  }
  await saga.do('releaseAll')
}

async function close(saga: Saga): Promise<void> {
  await saga.do('close')
}

/** Milliseconds from now (the workflow's own clock) to a time. */
const timeTo = (iso: string | null): number | undefined => (iso === null ? undefined : Date.parse(iso) - Date.now())
