/** Stock across channels: what a channel's item means, what others count, what is kept for whom. */
import { leaveListing, lookThrough, mapListing, tellAgain } from '../../activities/stockListings.ts'
import { closeAllotment, listAllotments, setAllotment } from '../../store/allotments.ts'
import { transaction } from '../../store/db.ts'
import { refuseUnknownProducts } from '../../store/products.ts'
import { listListings } from '../../store/listings.ts'
import { listDrift, readings } from '../../store/stockDrift.ts'
import { z } from 'zod'
import { notFound } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import {
  AllotmentId,
  AllotmentRequest,
  AllotmentSchema,
  AllotmentsAnswer,
  AllotmentsQuery,
  ConnectionParam,
  DriftAnswer,
  DriftQuery,
  ListingRequest,
  ListingSchema,
  ListingsAnswer,
  ListingsQuery,
} from '../stockSchemas.ts'

const Which = ListingRequest.pick({ connection: true, listingId: true, variantId: true })

export const stockSideRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/listings',
    operationId: 'listListings',
    summary: 'What the items of channels mean',
    access: 'key',
    query: ListingsQuery,
    responses: { 200: { description: 'Listings with our SKUs, and what the channel shall show.', schema: ListingsAnswer } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { listings: await listListings(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/listings',
    operationId: 'mapListing',
    summary: 'Say what a listing means',
    access: 'key',
    description: 'Holds until a person or a file says otherwise. Several SKUs, or more than one piece of one, are a bundle.',
    body: ListingRequest,
    responses: {
      200: { description: 'The listing as it is now.', schema: ListingSchema },
      422: { description: 'No such connection, or a SKU that is no product.' },
    },
    handle: async ({ runtime, body }) => ({ status: 200, body: await mapListing(runtime, body) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/listings/ignore',
    operationId: 'ignoreListing',
    summary: 'Say that a listing is not ours to keep',
    access: 'key',
    body: Which,
    responses: {
      200: { description: 'The listing as it is now.', schema: ListingSchema },
      422: { description: 'No such listing.' },
    },
    handle: async ({ runtime, body }) => ({ status: 200, body: await leaveListing(runtime, body) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/listings/{connection}/find',
    operationId: 'findListings',
    summary: 'Look through what a channel offers, now',
    access: 'key',
    params: ConnectionParam,
    responses: {
      200: {
        description: 'How many were seen, forgotten, and still mean nothing.',
        schema: z.object({ seen: z.int(), forgotten: z.int(), unmapped: z.int() }),
      },
    },
    handle: async ({ runtime, params }) => ({ status: 200, body: await lookThrough(runtime, params.connection) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/listings/{connection}/push',
    operationId: 'pushLevels',
    summary: 'Tell a channel every level again',
    access: 'key',
    params: ConnectionParam,
    responses: {
      202: { description: 'They are due now.', schema: z.object({ due: z.int() }) },
      422: { description: 'The connection is told no levels.' },
    },
    handle: async ({ runtime, params }) => ({ status: 202, body: { due: await tellAgain(runtime, params.connection) } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/stock/drift',
    operationId: 'listDrift',
    summary: 'Where other systems count differently',
    access: 'key',
    query: DriftQuery,
    responses: {
      200: { description: 'By connection, location and SKU; with the last reading of each connection.', schema: DriftAnswer },
    },
    handle: async ({ runtime, query }) => ({
      status: 200,
      body: { drift: await listDrift(runtime.pool, query), readings: await readings(runtime.pool) },
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/allotments',
    operationId: 'listAllotments',
    summary: 'What is kept for channels and campaigns',
    access: 'key',
    query: AllotmentsQuery,
    responses: { 200: { description: 'Open allotments, those first that are covered first.', schema: AllotmentsAnswer } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { allotments: await listAllotments(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/allotments',
    operationId: 'setAllotment',
    summary: 'Keep pieces for a channel or a campaign',
    access: 'key',
    description: 'Sent again it changes the open allotment of the same channel or campaign.',
    body: AllotmentRequest,
    responses: {
      200: { description: 'The allotment as it is now.', schema: AllotmentSchema },
      422: { description: 'Unknown location or product.' },
    },
    handle: async ({ runtime, body }) => {
      await refuseUnknownProducts(runtime.pool, [body.sku])
      const id = await transaction(runtime.pool, (tx) => setAllotment(tx, body))
      const made = (await listAllotments(runtime.pool, { sku: body.sku })).find((allotment) => allotment.id === id)
      return { status: 200, body: made }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/allotments/{id}/close',
    operationId: 'closeAllotment',
    summary: "End an allotment: what is left is everybody's",
    access: 'key',
    params: AllotmentId,
    responses: {
      200: { description: 'Closed.', schema: z.object({ id: z.int() }) },
      404: { description: 'No open allotment of this number.' },
    },
    handle: async ({ runtime, params }) => {
      if (!(await closeAllotment(runtime.pool, params.id))) throw notFound('open allotment', String(params.id))
      return { status: 200, body: { id: params.id } }
    },
  }),
]
