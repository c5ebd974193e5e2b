/** How long things may take before a person hears of it. Durations in milliseconds; a versioned settings row. */
import { z } from 'zod'
import { Routing } from './routing/types.ts'

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
  /** Customers are not written to between these, on the clock of their store or warehouse: {"from": "21:00", "to": "09:00"}. */
  quietHours: z.strictObject({ from: clock, to: clock }).nullable().default(null),
})
export type Policy = z.infer<typeof Policy>
export const defaultPolicy: Policy = Policy.parse({})

/** What an order's workflow needs of the policy that the order began with. */
export type SagaPolicy = Pick<Policy, 'tryOnDecisionMs' | 'confirmTimeoutMs' | 'bookingRetryMs' | 'courierRetryMs'>
