/**
 * Plays the saga of one order without an engine, one step at a time: the same stages (domain/stages.ts) and the same activities as
 * workflows/order/order.ts, on the view that the last step returned. What is not looked at again is old, as in a workflow.
 */
import { MockActivityEnvironment } from '@temporalio/testing'
import { createCourierSteps, type CourierSteps } from '../../activities/order/courier.ts'
import { createOrderSteps, type OrderSteps } from '../../activities/order/steps.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { nextStage, type Stage } from '../../domain/stages.ts'
import { FINISHED_UNIT, type OrderView, type UnitView } from '../../domain/view.ts'

type Step = Exclude<keyof OrderSteps, 'begin' | 'obey'>
type Todo = { step: Step; args: string[]; key?: string } | { courier: keyof CourierSteps; parcelId: string; key?: string }

/** Anything a courier's call may end with that the workflow lives with. */
const unanswered = Symbol('unanswered')

export class SagaPlayer {
  view: OrderView | null = null
  readonly orderId: string
  readonly #steps: OrderSteps
  readonly #couriers: CourierSteps
  #stage: Stage | null = null
  #course = -1
  /** What this run of the stage has done already and does once. */
  #done = new Set<string>()

  readonly #calls: boolean

  /** @param options.calls false: nobody outside is called, the saga goes only as far as it can alone. */
  constructor(runtime: Runtime, orderId: string, { calls = true }: { calls?: boolean } = {}) {
    this.orderId = orderId
    this.#calls = calls
    this.#steps = createOrderSteps(runtime)
    this.#couriers = createCourierSteps(runtime)
  }

  /** One step; where there is none to take on what is known, a look. @returns whether anything was done beside looking. */
  async step(): Promise<boolean> {
    if (this.view === null) {
      this.view = (await this.#steps.begin(this.orderId)).view
      return true
    }
    const todo = this.#todo(this.view)
    if (todo === null || ('courier' in todo && !this.#calls)) {
      await this.look()
      return false
    }
    if (todo.key !== undefined) this.#done.add(todo.key)
    if ('courier' in todo) await this.#call(todo.courier, todo.parcelId)
    else await this.#do(todo.step, ...todo.args)
    return true
  }

  async look(): Promise<void> {
    if (this.view === null) await this.step()
    else await this.#do('look')
  }

  /** A crash: whatever was known is gone, and the next worker begins anew. */
  forget(): void {
    this.view = null
    this.#stage = null
    this.#done.clear()
  }

  /** A timer of the stage under way has run out. */
  async timeOut(): Promise<void> {
    if (this.view === null) return
    const stage = nextStage(this.view)
    const is = (fact: OrderView['facts'][number]) => this.view?.facts.includes(fact) === true
    if (stage === 'confirm' && is('confirmAsked')) await this.#do('remindOfConfirmation')
    if (stage === 'tryOn' && is('tryOnHeld')) await this.#do(is('tryOnArrived') ? 'remindOfTryOn' : 'noShow')
  }

  /** Steps and looks until neither changes anything. */
  async rest(most = 60): Promise<void> {
    for (let taken = 0; taken < most; taken++) {
      if (this.view?.facts.includes('closed')) return
      const before = this.view?.course
      if (!(await this.step()) && before === this.view?.course && this.#rests()) return
    }
    throw new Error(`the saga of ${this.orderId} does not come to rest in stage ${String(this.#stage)}`)
  }

  #rests(): boolean {
    const todo = this.view === null ? null : this.#todo(this.view)
    return todo === null || ('courier' in todo && !this.#calls)
  }

  async #do(step: Step, ...args: string[]): Promise<void> {
    const run = this.#steps[step] as (orderId: string, ...more: string[]) => Promise<OrderView>
    this.#see(await run(this.orderId, ...args))
  }

  async #call(step: keyof CourierSteps, parcelId: string): Promise<void> {
    const environment = new MockActivityEnvironment()
    const outcome = await (environment.run(
      async () => await this.#couriers[step](this.orderId, parcelId).catch(() => unanswered),
    ) as Promise<OrderView | typeof unanswered>)
    if (outcome !== unanswered) return this.#see(outcome as OrderView)
    // The engine tries again and again, then gives up; what follows is what the workflow does then.
    const unit = this.view?.units.find(({ parcel }) => parcel?.id === parcelId)
    if (step === 'cancelBooking' && this.#stage === 'undo') await this.#do('bookingNotCancelled', parcelId)
    else if (unit !== undefined) await this.#do('courierUnreachable', unit.id)
  }

  #see(view: OrderView): void {
    if (this.view === null || view.revision >= this.view.revision) this.view = view
  }

  #todo(view: OrderView): Todo | null {
    const stage = nextStage(view)
    if (view.facts.includes('closed')) return null
    if (stage !== this.#stage || view.course !== this.#course) {
      this.#stage = stage
      this.#course = view.course
      this.#done = new Set()
    }
    const once = (step: Step, key: string = step, ...args: string[]): Todo | null =>
      this.#done.has(key) ? null : { step, args, key }
    switch (stage) {
      case 'check':
      case 'reserve':
      case 'route':
        return once(stage)
      case 'confirm':
        return once('askConfirmation')
      case 'tryOn':
        return view.facts.includes('tryOnHeld') ? null : once('holdForTryOn')
      case 'fulfil':
        return this.#fulfil(view, once)
      case 'undo':
        return this.#undo(view, once)
      case 'close':
        return { step: 'close', args: [] }
    }
  }

  #fulfil(view: OrderView, once: (step: Step, key?: string, ...args: string[]) => Todo | null): Todo | null {
    const reRoute = view.missing > 0 ? once('reRoute', `reRoute:${view.missing}`) : null
    if (reRoute !== null) return reRoute
    for (const unit of view.units.filter(({ state }) => !FINISHED_UNIT.has(state))) {
      const todo = this.#unit(unit, once)
      if (todo !== null) return todo
    }
    return null
  }

  #unit(unit: UnitView, once: (step: Step, key?: string, ...args: string[]) => Todo | null): Todo | null {
    if (unit.leaves === 'counter') return once('handOver', `handOver:${unit.id}`, unit.id)
    if (unit.state === 'planned') return once('queueForWave', `queue:${unit.id}`, unit.id)
    if (['ready', 'handedOver', 'picked'].includes(unit.state)) return null
    const { parcel, bookings, bookingsAllowed, isRebooked } = unit
    if (parcel !== null && isRebooked) return { courier: 'cancelBooking', parcelId: parcel.id }
    if (parcel === null || parcel.state === 'refused' || parcel.state === 'void') {
      if (bookings >= bookingsAllowed) return once('askAboutRefusal', `refusal:${unit.id}:${bookings}`, unit.id)
      return once('intendParcel', `intend:${unit.id}:${bookings}`, unit.id)
    }
    if (parcel.state !== 'intended' && parcel.state !== 'sent') return null
    return { courier: 'book', parcelId: parcel.id }
  }

  #undo(view: OrderView, once: (step: Step, key?: string, ...args: string[]) => Todo | null): Todo | null {
    const recall = once('recall')
    if (recall !== null) return recall
    if (view.units.some(({ state }) => state === 'recalling' || state === 'shipped')) return null
    for (const { parcel } of view.units) {
      if (parcel === null || !['intended', 'sent', 'booked'].includes(parcel.state) || this.#done.has(parcel.id)) continue
      return { courier: 'cancelBooking', parcelId: parcel.id, key: parcel.id }
    }
    return once('releaseAll')
  }
}
