/**
 * The steps of an order's saga: database-only, idempotent, each one transaction or the coalesced ledger. Every step returns
 * the fresh view of the order. Their order is the workflow's business, not theirs.
 */
import type { SagaPolicy } from '../../domain/policy.ts'
import type { OrderView } from '../../domain/view.ts'
import type { Runtime } from '../runtime.ts'
import { check } from './check.ts'
import { askConfirmation, remindOfConfirmation } from './confirm.ts'
import { askAboutRefusal, bookingNotCancelled, courierUnreachable, intendParcel } from './parcel.ts'
import { close, look, begin } from './look.ts'
import { obey } from './obey.ts'
import { reserve } from './reserve.ts'
import { handOver, queueForWave, reRoute, route } from './route.ts'
import { holdForTryOn, noShow, remindOfTryOn } from './tryOn.ts'
import { recall, releaseAll } from './undo.ts'

type Step = (orderId: string) => Promise<OrderView>
type UnitStep = (orderId: string, unitId: string) => Promise<OrderView>

export interface OrderSteps {
  begin(orderId: string): Promise<{ view: OrderView; policy: SagaPolicy }>
  /** Obeys what is waiting in `commands`, in order, and looks at the order. */
  look: Step
  obey(orderId: string, commandId: string): Promise<{ view: OrderView; state: 'done' | 'refused'; answer: string }>
  check: Step
  reserve: Step
  holdForTryOn: Step
  noShow: Step
  remindOfTryOn: Step
  askConfirmation: Step
  remindOfConfirmation: Step
  route: Step
  reRoute: Step
  queueForWave: UnitStep
  handOver: UnitStep
  intendParcel: UnitStep
  askAboutRefusal: UnitStep
  courierUnreachable: UnitStep
  bookingNotCancelled(orderId: string, parcelId: string): Promise<OrderView>
  recall: Step
  releaseAll: Step
  close: Step
}

const steps = {
  begin,
  look,
  obey,
  check,
  reserve,
  holdForTryOn,
  noShow,
  remindOfTryOn,
  askConfirmation,
  remindOfConfirmation,
  route,
  reRoute,
  queueForWave,
  handOver,
  intendParcel,
  askAboutRefusal,
  courierUnreachable,
  bookingNotCancelled,
  recall,
  releaseAll,
  close,
}

export function createOrderSteps(runtime: Runtime): OrderSteps {
  return Object.fromEntries(
    Object.entries(steps).map(([name, step]) => [
      name,
      (...args: string[]) => (step as (r: Runtime, ...a: string[]) => unknown)(runtime, ...args),
    ]),
  ) as unknown as OrderSteps
}
