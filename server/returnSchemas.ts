/** Returns and feedback as every route shows them. */
import { z } from 'zod'
import { DISPOSITIONS } from '../domain/returns.ts'

const isoTime = z.iso.datetime({ offset: true })
export const ReturnSchema = z
  .looseObject({
    id: z.string(),
    orderId: z.string(),
    state: z.enum(['asked', 'approved', 'refused', 'cancelled', 'expired', 'received', 'done']),
    way: z.enum(['courier', 'cvs', 'store', 'cameBack', 'channel']),
    reason: z.string(),
    location: z.string().nullable(),
    because: z.array(z.string()),
    dueAt: isoTime.nullable(),
    exchangeOrderId: z.string().nullable(),
    lines: z.array(z.object({ lineId: z.string(), sku: z.string(), quantity: z.int(), received: z.int() })),
    dispositions: z.array(
      z.looseObject({ lineId: z.string(), quantity: z.int(), disposition: z.enum(DISPOSITIONS), location: z.string() }),
    ),
  })
  .meta({ id: 'Return' })

export const FeedbackSchema = z
  .object({ score: z.int().min(1).max(5), text: z.string().nullable(), by: z.string(), at: isoTime })
  .meta({ id: 'Feedback', description: 'What the customer said of the delivery last; 1 is bad.' })
