/** What the routes about stock across channels take and give. */
import { z } from 'zod'
import { ListingEntry } from '../store/listings.ts'

const text = (max: number) => z.string().min(1).max(max)
const limit = z.coerce.number().int().min(1).max(10_000).default(500)

export const ListingsQuery = z.strictObject({
  connection: text(100).optional(),
  state: z.enum(['mapped', 'unmapped', 'ignored']).optional(),
  sku: text(100).optional(),
  limit,
})
export const ListingSchema = z
  .object({
    connection: z.string(),
    listingId: z.string(),
    variantId: z.string().nullable(),
    externalSku: z.string().nullable(),
    title: z.string().nullable(),
    state: z.enum(['mapped', 'unmapped', 'ignored']),
    source: z.enum(['found', 'file', 'person']),
    skus: z.array(z.object({ sku: z.string(), quantity: z.int() })),
    quantity: z.int().nullable().meta({ description: 'What the channel shall show; null when it is not told.' }),
    told: z.int().nullable().meta({ description: 'What it was told last and has taken; null while that is not known.' }),
    error: z.string().nullable(),
    seenAt: z.string().nullable(),
  })
  .meta({ id: 'Listing' })
export const ListingsAnswer = z.object({ listings: z.array(ListingSchema) })
export const ListingRequest = ListingEntry.meta({ id: 'ListingRequest', description: 'What one listing of a channel means.' })
export const ConnectionParam = z.strictObject({ connection: text(100) })

export const DriftQuery = z.strictObject({
  connection: text(100).optional(),
  sku: text(100).optional(),
  location: text(60).optional(),
  limit,
})
export const DriftAnswer = z
  .object({
    drift: z.array(
      z.object({
        connection: z.string(),
        location: z.string(),
        sku: z.string(),
        theirs: z.int(),
        ours: z.int().meta({ description: 'What the ledger had when they counted.' }),
        held: z.int(),
        difference: z.int(),
        readings: z.int(),
        state: z.enum(['seen', 'open', 'refused']),
        detail: z.string().nullable(),
        firstSeenAt: z.string(),
        seenAt: z.string(),
      }),
    ),
    readings: z.array(z.looseObject({ connection: z.string() })).meta({ description: 'The last reading of each connection.' }),
  })
  .meta({ id: 'Drift' })

export const AllotmentsQuery = z.strictObject({
  sku: text(100).optional(),
  location: text(60).optional(),
  channel: text(100).optional(),
  campaign: text(100).optional(),
})
export const AllotmentSchema = z
  .object({
    id: z.int(),
    sku: z.string(),
    location: z.string(),
    channel: z.string().nullable(),
    campaign: z.string().nullable(),
    quantity: z.int(),
    priority: z.int(),
    closesAt: z.string().nullable(),
    used: z.int().meta({ description: 'Held or sold from it.' }),
    kept: z.int().meta({ description: 'What it keeps now: no more than there is.' }),
    open: z.boolean(),
  })
  .meta({ id: 'Allotment' })
export const AllotmentsAnswer = z.object({ allotments: z.array(AllotmentSchema) })
export const AllotmentRequest = z
  .strictObject({
    sku: text(100),
    location: text(60),
    channel: text(100).nullish(),
    campaign: text(100).nullish(),
    quantity: z.int().min(0).max(1_000_000_000),
    priority: z.int().min(-1000).max(1000).default(0),
    closesAt: z.iso.datetime({ offset: true }).nullish(),
  })
  .refine(({ channel, campaign }) => ((channel ?? null) === null) !== ((campaign ?? null) === null), {
    path: ['channel'],
    message: 'name a channel or a campaign, one of the two',
  })
  .meta({ id: 'AllotmentRequest' })
export const AllotmentId = z.strictObject({ id: z.coerce.number().int().min(1) })
