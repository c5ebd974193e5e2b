/** What people may ask of an order, and what each request must say. */
import { z } from 'zod'
import { CvsChain, DeliveryMethod, OrderLine, Payment, Totals } from '../domain/order.ts'
import type { Verb } from '../store/commands.ts'
import { AddressRequest, PartyRequest } from './schemas.ts'

const text = (most: number) => z.string().min(1).max(most)
const nothing = z.strictObject({})
const ofUnit = z.strictObject({ unitId: text(100).optional().meta({ description: 'Default: all that waits.' }) })

/** Only what is to change; amounts and lines that are not named stay. */
export const ChangeRequest = z
  .strictObject({
    buyer: PartyRequest.extend({ email: z.email().max(200).nullish(), memberId: text(100).nullish() })
      .partial()
      .strict()
      .optional(),
    recipient: PartyRequest.extend({ address: z.union([AddressRequest.strict(), text(500)]).nullable() })
      .partial()
      .strict()
      .optional(),
    delivery: z
      .strictObject({
        method: DeliveryMethod,
        service: text(40).nullable(),
        cvs: z
          .strictObject({ chain: CvsChain, storeId: z.union([z.string(), z.number().transform(String)]).nullable() })
          .partial()
          .nullable(),
        location: text(60).nullable(),
        promisedBy: z.iso.datetime({ offset: true }).nullable(),
        askedTime: text(100).nullable(),
      })
      .partial()
      .optional(),
    payment: Payment.partial().strict().optional(),
    totals: Totals.partial().strict().optional(),
    lines: z
      .array(OrderLine.partial().strict())
      .min(1)
      .max(500)
      .optional()
      .meta({ description: 'Every line that shall be; one with a known lineId (or at the same place) keeps what is not named.' }),
    skus: z
      .record(z.string(), text(100))
      .optional()
      .meta({ description: '{lineId: sku}: what an article of the channel is called here; remembered.' }),
    notes: z.string().max(1000).nullable().optional(),
    customs: z.strictObject({ invoiceNumber: text(60), hsCodes: z.array(text(20)).min(1).max(100) }).optional(),
    recall: z.boolean().optional().meta({
      description: 'What the warehouse has is called back first, then changed.',
    }),
  })
  .refine((change) => Object.keys(change).some((name) => name !== 'recall'), {
    message: 'names nothing to change',
    params: { remedy: 'Send at least one field.' },
  })
export type ChangeRequest = z.infer<typeof ChangeRequest>

interface PersonVerb {
  verb: Verb
  summary: string
  body: z.ZodType<Record<string, unknown>>
}

export const VERBS_OF_PEOPLE: readonly PersonVerb[] = [
  {
    verb: 'confirm',
    summary: 'The customer said yes',
    body: z.strictObject({
      evidence: z
        .strictObject({
          kind: z.enum(['signature', 'code']),
          reference: z
            .string()
            .trim()
            .min(1)
            .max(500)
            .meta({ description: 'Where the signature is kept, or the code that the customer was sent.' }),
          person: z.string().trim().min(1).max(100).meta({ description: 'Who agreed.' }),
          at: z.iso.datetime({ offset: true }),
        })
        .optional()
        .meta({ description: 'Kept with the lines and amounts that were agreed to.' }),
    }),
  },
  {
    verb: 'cancel',
    summary: 'Cancel and undo; refused with the reason when it is too late',
    body: z.strictObject({ reason: text(300).optional() }),
  },
  {
    verb: 'change',
    summary: 'Change recipient, delivery, lines, payment or notes; refused once the warehouse works on it, unless it is recalled',
    body: ChangeRequest,
  },
  {
    verb: 'recall',
    summary: 'Call its goods back, make the change that came too late, and ship it anew',
    body: nothing,
  },
  { verb: 'paid', summary: 'The money is here', body: nothing },
  { verb: 'arrived', summary: 'The try-on customer is there; the goods are kept aside', body: nothing },
  {
    verb: 'decide',
    summary: 'What the try-on customer keeps; the rest goes back on sale',
    body: z.strictObject({
      keep: z
        .record(text(60), z.int().min(0).max(100_000))
        .meta({ description: '{lineId: pieces}; a line that is not named is not kept.' }),
      exchange: z.record(text(60), text(100)).optional().meta({
        description: '{lineId: sku}: another size or colour for the pieces of the line that are not kept; held at once.',
      }),
    }),
  },
  {
    verb: 'collected',
    summary: 'The customer took it along',
    body: ofUnit.extend({
      code: text(40).optional().meta({ description: 'Of the pickup voucher that was shown.' }),
      location: text(64)
        .optional()
        .meta({ description: 'With a code: where it was shown; refused at another store than its own.' }),
    }),
  },
  { verb: 'packed', summary: 'Packed by hand, where no warehouse system answers', body: ofUnit },
  { verb: 'retry', summary: 'Try again what stands still', body: nothing },
  {
    verb: 'reroute',
    summary: 'Send what waits to be picked from another location',
    body: z.strictObject({
      from: text(60).optional().meta({ description: 'The location it shall leave; default: every one it waits at.' }),
    }),
  },
  { verb: 'shipWithout', summary: 'Ship the rest; what was not found is struck off', body: nothing },
  { verb: 'recalled', summary: 'The goods that were called back are here', body: nothing },
  { verb: 'letGo', summary: 'Give up a cancellation or a recall that came too late: it goes on as it was', body: nothing },
  { verb: 'rebook', summary: 'Make the label of a parcel anew, for the amount that is due now', body: nothing },
  { verb: 'restocked', summary: 'Returned goods are on the shelf again', body: nothing },
  { verb: 'skip', summary: 'Settled by a person; nothing more for the machine to do', body: nothing },
]

export const verbOf = (verb: string): PersonVerb | undefined => VERBS_OF_PEOPLE.find((each) => each.verb === verb)
