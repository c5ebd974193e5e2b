/** How long things may take before a person hears of it. Durations in milliseconds; a versioned settings row. */
import { z } from 'zod'
import { ReturnsPolicy } from './returns.ts'
import { OrderKind } from './order.ts'
import { Routing } from './routing/types.ts'
import { ShortageWay } from './shortage.ts'

const minute = 60_000
const day = 24 * 60 * minute
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 21:00')

export const Policy = z.object({
  /** A hold of an order that is not confirmed yet. */
  holdTtlMs: z
    .number()
    .int()
    .positive()
    .default(7 * day),
  /** The same by kind of order; a product's own `holdTtlMs` comes before both. */
  holdTtlMsByKind: z.partialRecord(OrderKind, z.number().int().positive()).default({}),
  /** Several orders that wait for the same stock are served by this, lower first; then by priority, then by age. Absent: 0. */
  claimPriority: z.partialRecord(OrderKind, z.number().int().min(-1000).max(1000)).default({}),
  /** What is done when there is not enough, the first way that applies. */
  shortage: z.array(ShortageWay).min(1).default(['backorder', 'task']),
  /** From the hold of a try-on to no-show, when the order names no appointment. */
  tryOnNoShowMs: z
    .number()
    .int()
    .positive()
    .default(3 * day),
  /** From arrival to a reminder that nobody has recorded what the customer keeps. */
  tryOnDecisionMs: z
    .number()
    .int()
    .positive()
    .default(1 * day),
  /** COD that nobody confirmed becomes a task. */
  confirmTimeoutMs: z
    .number()
    .int()
    .positive()
    .default(2 * day),
  /** A unit the warehouse has not answered becomes a task. */
  pickTimeoutMs: z
    .number()
    .int()
    .positive()
    .default(2 * day),
  /** A warehouse that does not answer a recall becomes a task. */
  recallTimeoutMs: z
    .number()
    .int()
    .positive()
    .default(4 * 60 * minute),
  /** A parcel without news becomes a task. */
  stuckParcelMs: z
    .number()
    .int()
    .positive()
    .default(4 * day),
  /** A parcel that is not delivered so long after it left is late, also when nothing was promised; null: only a promise counts. */
  lateParcelMs: z.number().int().positive().nullable().default(null),
  /** So long a customer whose pickup store has closed may choose another before a person hears of it. */
  rechooseStoreMs: z
    .number()
    .int()
    .positive()
    .default(2 * day),
  /** So long after the delivery the customer is asked how it was; null: never. */
  feedbackAfterMs: z.number().int().min(0).nullable().default(null),
  /** A parcel worth more is booked with its value insured, in minor units; null: never. */
  insureAboveMinor: z.number().int().min(0).nullable().default(null),
  /** Paid orders of one recipient that are packed at the same place are put into one parcel; off: each has its own. */
  mergeParcels: z.enum(['off', 'prepaid']).default('off'),
  /** A customer who has left so many cash-on-delivery parcels uncollected is confirmed by a person; null: never. */
  uncollectedLimit: z.number().int().positive().nullable().default(null),
  /** What is taken back, for how long, and what becomes of it. */
  returns: ReturnsPolicy.default(ReturnsPolicy.parse({})),
  /** Cash that a courier collected (delivered) and has not paid out becomes a task. */
  remittanceDueMs: z
    .number()
    .int()
    .positive()
    .default(14 * day),
  /** A courier that cannot be reached at all is asked again after this, with a task open. */
  courierRetryMs: z
    .number()
    .int()
    .positive()
    .default(5 * minute),
  /** Waits between booking attempts that the courier refused; after the last one a task. */
  bookingRetryMs: z.array(z.number().int().positive()).default([1 * minute]),
  /** From where goods leave: rules in order, tariffs of couriers, cut-offs and capacity of locations. */
  routing: Routing.default(Routing.parse({})),
  /** The customer is reminded so long before an appointment. */
  appointmentReminderMs: z
    .number()
    .int()
    .positive()
    .default(1 * day),
  /** Not there so long after it began: late. */
  appointmentLateMs: z
    .number()
    .int()
    .positive()
    .default(10 * minute),
  /** Not there so long after it began: a no-show; a try-on's goods go back on sale. */
  appointmentNoShowMs: z
    .number()
    .int()
    .positive()
    .default(30 * minute),
  /** The appointment of a try-on is cancelled: a person decides, or its goods go back on sale at once. */
  appointmentCancelled: z.enum(['task', 'release']).default('task'),
  /** What was brought to a store for an order that does not want it: sent back from where it came, or sold there. */
  unwantedTransfer: z.enum(['back', 'sell']).default('back'),
  /** A transfer that was shipped and has not arrived becomes a task. */
  transferOverdueMs: z
    .number()
    .int()
    .positive()
    .default(5 * day),
  /** So long an order waits at the store to be picked up. */
  pickupDays: z.number().int().min(1).max(90).default(7),
  /** The customer is reminded after so many days; the day before the end is told in any case. */
  pickupReminderDays: z.number().int().min(1).max(90).default(3),
  /** Not picked up: cancelled and paid back, the goods on sale again; or a person decides. */
  pickupExpired: z.enum(['release', 'task']).default('release'),
  /** Customers are not written to between these, on the clock of their store or warehouse: {"from": "21:00", "to": "09:00"}. */
  quietHours: z.strictObject({ from: clock, to: clock }).nullable().default(null),
})
export type Policy = z.infer<typeof Policy>
export const defaultPolicy: Policy = Policy.parse({})

/** What an order's workflow needs of the policy that the order began with. */
export type SagaPolicy = Pick<Policy, 'tryOnDecisionMs' | 'confirmTimeoutMs' | 'bookingRetryMs' | 'courierRetryMs'>
