/** Handing parcels over to a courier: manifests, their papers, the proof. */
import { z } from 'zod'
import { createManifest, handedOver, manifestPaper } from '../../activities/packing/manifests.ts'
import { askForPickup } from '../../activities/packing/pickup.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { getManifest, listManifests, manifestParcels } from '../../store/manifests.ts'
import { notFound } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const text = (most: number) => z.string().min(1).max(most)
const Id = z.object({ id: text(60) })
const isoTime = z.iso.datetime({ offset: true })
const ProofKind = z.enum(['photo', 'receipt', 'signature'])
const ManifestSchema = z
  .object({
    id: z.string(),
    location: z.string(),
    courier: z.string(),
    parcels: z.int(),
    courierPaper: z.boolean().meta({ description: "Whether the courier's own paper is kept; else ours is printed." }),
    problem: z.string().nullable().meta({ description: 'Why the courier made no paper.' }),
    pickup: z
      .object({
        state: z.enum(['asked', 'unknown', 'confirmed']),
        id: z.string().nullable(),
        confirmation: z.string().nullable().meta({ description: 'The number to name to the courier.' }),
        from: z.string(),
        until: z.string(),
      })
      .nullable()
      .meta({ description: 'The courier was asked to come; unknown: it may come, ask again and it is looked up.' }),
    handedOverAt: z.string().nullable(),
    handedOverBy: z.string().nullable(),
    proofs: z.array(z.object({ kind: ProofKind, reference: z.string(), at: z.string(), by: z.string() })),
    createdAt: z.string(),
  })
  .meta({ id: 'Manifest' })
const Detailed = ManifestSchema.extend({
  waybills: z.array(z.object({ parcel: z.string(), order: z.string(), waybill: z.string() })),
})
const ManifestsQuery = z.strictObject({
  location: text(64).optional(),
  courier: text(100).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

const missing = (error: unknown, id: string): never => {
  throw error instanceof OmnisagaError && error.code === 'notFound' ? notFound('manifest', id) : error
}

export const manifestRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/manifests',
    operationId: 'listManifests',
    summary: 'Hand-over manifests, newest first',
    access: 'key',
    query: ManifestsQuery,
    responses: { 200: { description: 'The manifests.', schema: z.object({ manifests: z.array(ManifestSchema) }) } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { manifests: await listManifests(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/manifests',
    operationId: 'createManifest',
    summary: 'Closes a manifest of what a courier is to be given at a location',
    description: 'Every packed and booked parcel that is on none yet; each parcel is on one manifest at most.',
    access: 'key',
    body: z.strictObject({ location: text(64), courier: text(100) }),
    responses: {
      201: { description: 'The manifest.', schema: ManifestSchema },
      409: { description: 'There is nothing to hand over.' },
      422: { description: 'No such location or courier.' },
    },
    handle: async ({ runtime, body, who }) => ({ status: 201, body: await createManifest(runtime, { ...body, who }) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/manifests/{id}',
    operationId: 'getManifest',
    summary: 'One manifest with its waybills',
    access: 'key',
    params: Id,
    responses: { 200: { description: 'The manifest.', schema: Detailed }, 404: { description: 'No such manifest.' } },
    handle: async ({ runtime, params }) => {
      const found = await getManifest(runtime.pool, params.id)
      if (found === null) throw notFound('manifest', params.id)
      const parcels = await manifestParcels(runtime.pool, params.id)
      const waybills = parcels.map(({ parcelId, orderNumber, waybill }) => ({ parcel: parcelId, order: orderNumber, waybill }))
      return { status: 200, body: { ...found, waybills } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/manifests/{id}/paper',
    operationId: 'getManifestPaper',
    summary: 'The paper a driver signs',
    description: "The courier's own where it makes one (its content type then), else ours as PDF.",
    access: 'key',
    params: Id,
    query: z.strictObject({ own: z.stringbool().default(false).meta({ description: 'Ours in any case.' }) }),
    responses: { 200: { description: 'The paper.', contentType: 'application/pdf' }, 404: { description: 'No such manifest.' } },
    handle: async ({ runtime, params, query }) => {
      const paper = await manifestPaper(runtime, params.id, query.own, new Date()).catch((error) => missing(error, params.id))
      return { status: 200, contentType: paper.contentType, body: paper.bytes }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/manifests/{id}/pickup',
    operationId: 'requestPickup',
    summary: 'Asks the courier to come for what is on the manifest',
    description:
      'Asked again once it has confirmed, the same pickup is answered. A lost answer is looked up before it is asked again.',
    access: 'key',
    params: Id,
    body: z.strictObject({
      from: isoTime,
      until: isoTime,
      instructions: text(200).optional().meta({ description: 'For the driver.' }),
    }),
    responses: {
      200: { description: 'The courier comes.', schema: ManifestSchema },
      404: { description: 'No such manifest.' },
      409: { description: 'The courier does not come then; in its words.' },
      422: { description: 'Not a time to come, or a courier that cannot be asked by a call: how it comes is said.' },
      503: { description: 'No answer: ask again, it is looked up first.' },
    },
    handle: async ({ runtime, params, body }) => ({
      status: 200,
      body: await askForPickup(runtime, params.id, { ...body, instructions: body.instructions ?? null }).catch((error) =>
        missing(error, params.id),
      ),
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/manifests/{id}/handed-over',
    operationId: 'manifestHandedOver',
    summary: 'The courier has taken the parcels: they have left',
    description: 'Said again, only the proof is added.',
    access: 'key',
    params: Id,
    body: z.strictObject({
      proof: z
        .strictObject({ kind: ProofKind, reference: text(500) })
        .optional()
        .meta({
          description: 'What proves it: where a photo or receipt is kept, or who signed.',
        }),
    }),
    responses: { 200: { description: 'The manifest.', schema: ManifestSchema }, 404: { description: 'No such manifest.' } },
    handle: async ({ runtime, params, body, who }) => ({
      status: 200,
      body: await handedOver(runtime, params.id, { who, proof: body.proof ?? null }).catch((error) => missing(error, params.id)),
    }),
  }),
]
