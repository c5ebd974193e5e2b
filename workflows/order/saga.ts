/**
 * The plumbing of an order's workflow, so that the workflow itself can read as the business: the current view of the
 * order, steps that return a newer one, waits that a doorbell wakes and that a change of course interrupts.
 */
import {
  ActivityFailure,
  CancellationScope,
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow'
import type { FactName } from '../../domain/facts.ts'
import { FINISHED_UNIT, type OrderView, type UnitView } from '../../domain/view.ts'
import type { SagaPolicy } from '../../domain/policy.ts'
import type { OrderSteps } from '../../activities/order/steps.ts'
import type { CourierSteps } from '../../activities/order/courier.ts'

/** Only a doorbell, without payload: the workflow wakes and looks at its order. */
export const doorbell = defineSignal('doorbell')

export interface Answer {
  state: 'done' | 'refused'
  answer: string
}
/** A person's (or a channel's) command; its row is in `commands` already, the Update carries only its id. */
export const ask = defineUpdate<Answer, [commandId: string]>('ask')

/** Thrown at a wait when what is to be done has changed; the saga then goes on at the first stage that is not yet true. */
export class Interrupted extends Error {
  override name = 'Interrupted'
}

/**
 * Database-only steps are local activities, several to a workflow task. One that cannot finish quickly (a long lock, a
 * restarting database) runs as a normal activity, which waits as long as it takes and holds up nobody else.
 */
const quick = proxyLocalActivities<OrderSteps>({
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '8 seconds',
  retry: { initialInterval: '50 milliseconds', maximumInterval: '1 second', maximumAttempts: 4 },
})
const patient = proxyActivities<OrderSteps>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
})

export type Step = Exclude<keyof OrderSteps, 'begin' | 'obey'>

export class Saga {
  view!: OrderView
  policy!: SagaPolicy
  #rung = false
  #begun = false
  /** By which the stage under way was chosen. */
  #course = 0
  #lastStep: Promise<unknown> = Promise.resolve()
  readonly orderId: string

  private constructor(orderId: string) {
    this.orderId = orderId
  }

  static async begin(orderId: string): Promise<Saga> {
    const saga = new Saga(orderId)
    setHandler(doorbell, () => {
      saga.#rung = true
    })
    setHandler(ask, async (commandId) => await saga.#obey(commandId))
    const { view, policy } = await saga.#step('begin', orderId)
    saga.policy = policy
    saga.#see(view)
    saga.#begun = true
    return saga
  }

  is(fact: FactName): boolean {
    return this.view.facts.includes(fact)
  }

  unit(unitId: string): UnitView {
    const unit = this.view.units.find((candidate) => candidate.id === unitId)
    if (unit === undefined) throw new Error(`order ${this.orderId} has no unit ${unitId}`)
    return unit
  }

  openUnits(): UnitView[] {
    return this.view.units.filter((unit) => !FINISHED_UNIT.has(unit.state))
  }

  /** One idempotent step in the database. */
  async do(step: Step, ...args: string[]): Promise<void> {
    this.#see(await this.#step(step, this.orderId, ...args))
  }

  /**
   * A call to a courier, on the queue of its connector's kind.
   * @returns false when it could not be reached for a long while. @throws Interrupted, before the call, when what is to be done has changed.
   */
  async courier(step: keyof CourierSteps, connector: string, parcelId: string): Promise<boolean> {
    if (this.#turned()) throw new Interrupted()
    const calls = proxyActivities<CourierSteps>({
      taskQueue: `connector-${connector}`,
      startToCloseTimeout: '90 seconds',
      heartbeatTimeout: '15 seconds',
      scheduleToCloseTimeout: '15 minutes',
      retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
    })
    try {
      this.#see(await calls[step](this.orderId, parcelId))
      return true
    } catch (error) {
      if (error instanceof ActivityFailure && !isCancellation(error)) return false
      throw error
    }
  }

  /**
   * Waits until `reached` holds; the doorbell makes it look again.
   * @returns false when `timeoutMs` passed first. @throws Interrupted when what is to be done has changed.
   */
  async until(reached: () => boolean, timeoutMs?: number): Promise<boolean> {
    const turned = () => this.#turned()
    const deadline = timeoutMs === undefined ? null : new Deadline(timeoutMs)
    try {
      for (;;) {
        if (turned()) throw new Interrupted()
        if (reached()) return true
        if (deadline?.passed) return false
        await condition(() => this.#rung || turned() || reached() || deadline?.passed === true)
        if (this.#rung) {
          this.#rung = false
          await this.do('look')
        }
      }
    } finally {
      deadline?.cancel()
    }
  }

  /** Runs a stage; being interrupted is no error, the next one is chosen anew. */
  async interruptible(work: (saga: Saga) => Promise<void>): Promise<void> {
    this.#course = this.view.course
    try {
      await work(this)
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error
    }
  }

  /** Nobody who asked is left without an answer when the workflow ends. */
  async finishConversations(): Promise<void> {
    await condition(allHandlersFinished)
  }

  async #obey(commandId: string): Promise<Answer> {
    await condition(() => this.#begun)
    const { view, ...answer } = await this.#step('obey', this.orderId, commandId)
    this.#see(view)
    return answer
  }

  /**
   * One step after another, however many units and commands ask for one: local activities that run side by side finish in another
   * order when they are replayed. They would wait for the same row anyhow.
   */
  #step<S extends keyof OrderSteps>(step: S, ...args: string[]): Promise<Outcome<S>> {
    const turn = this.#lastStep.then(() => run(step, ...args))
    this.#lastStep = turn.catch(() => undefined) // whoever asked hears of it
    return turn
  }

  /** Also what turned during a step counts, or the next wait would wait for what nobody wants any more. */
  #turned(): boolean {
    return this.view.course !== this.#course
  }

  #see(view: OrderView): void {
    if (this.view === undefined || view.revision >= this.view.revision) this.view = view
  }
}

type Outcome<S extends keyof OrderSteps> = Awaited<ReturnType<OrderSteps[S]>>

async function run<S extends keyof OrderSteps>(step: S, ...args: string[]): Promise<Outcome<S>> {
  const call = (steps: Pick<OrderSteps, S>) => (steps[step] as (...a: string[]) => Promise<Outcome<S>>)(...args)
  try {
    return await call(quick)
  } catch (error) {
    if (error instanceof ActivityFailure && !isCancellation(error)) return await call(patient)
    throw error
  }
}

/** A timer that can be asked and called off. */
class Deadline {
  passed = false
  readonly #scope = new CancellationScope()

  constructor(ms: number) {
    void this.#scope
      .run(() => sleep(Math.max(1, ms)))
      .then(
        () => {
          this.passed = true
        },
        (error: unknown) => {
          if (!isCancellation(error)) throw error
        },
      )
  }

  cancel(): void {
    this.#scope.cancel()
  }
}
