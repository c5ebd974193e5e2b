/** Picking and packing by people of ours: waves, pick lists, a station with a scanner, papers for the box. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { makeWavesNow } from '../../activities/waves.ts'
import { deliveryNoteOf, itemLabelsOf, pickListOf } from '../../activities/packing/papers.ts'
import { scan } from '../../activities/packing/scan.ts'
import { stationView } from '../../activities/packing/station.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { getWave, listWaves } from '../../store/waves.ts'
import { notFound } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'

const text = (most: number) => z.string().min(1).max(most)
const Id = z.object({ id: text(200) })
const Station = z.object({ station: text(60) })
const PDF = 'application/pdf'
const pdf = (body: Buffer) => ({ status: 200, contentType: PDF, body })

const Words = z.object({ zh: z.string(), en: z.string() })
const Line = z.object({
  unitId: z.string(),
  orderNumber: z.string(),
  lineId: z.string(),
  sku: z.string(),
  name: z.string().nullable(),
  barcode: z.string().nullable(),
  shelf: z.string().nullable(),
  quantity: z.int().meta({ description: 'Pieces that belong into the box.' }),
  scanned: z.int(),
  damaged: z.int().meta({ description: 'Broken, and not replaced yet.' }),
  replaced: z.int().meta({ description: 'Broken ones that are booked out, and for which others were fetched.' }),
  short: z.int(),
})
const BoxSchema = z
  .object({
    unitId: z.string(),
    orderNumber: z.string().meta({ description: 'Of a box that several orders share, all their numbers.' }),
    waveId: z.string().nullable(),
    stopped: z.boolean().meta({ description: 'Something that does not belong must be taken out first (UNDO).' }),
    suggestedBox: z.string().nullable(),
    bench: z.object({
      lines: z.array(Line),
      box: z.string().nullable(),
      weightGrams: z.int().nullable(),
      media: z.array(z.object({ kind: z.enum(['photo', 'video']), reference: z.string(), at: z.string() })),
      mode: z.enum(['pack', 'damaged', 'short']),
      times: z.int(),
    }),
  })
  .meta({ id: 'PackingBox' })
const ScanRequest = z
  .strictObject({
    station: text(60).meta({ description: 'Name of the packing station; it has one box at a time.' }),
    code: text(600).meta({
      description:
        'What the scanner read: a box, order, waybill or wave; an item (barcode or SKU); `*3` (the next item counts three); a box id; `W:1250` (grams); `PHOTO:reference`, `VIDEO:reference`; DONE, UNDO, DAMAGED, SHORT, LEAVE.',
    }),
    scanId: text(100).optional().meta({ description: 'Sent again with the same one, the first answer is given again.' }),
    location: text(64).optional().meta({ description: 'Where the station stands: only boxes of that location are opened.' }),
    weightGrams: z.int().positive().max(999_999).optional(),
    media: z
      .array(z.strictObject({ kind: z.enum(['photo', 'video']), reference: text(500) }))
      .max(20)
      .optional(),
  })
  .meta({ id: 'PackingScan' })
const ScanAnswer = z
  .object({
    station: z.string(),
    message: Words.extend({
      tone: z
        .enum(['ok', 'warn', 'stop', 'done'])
        .meta({ description: 'warn: nothing was taken; stop: nothing goes on until it is put right.' }),
    }),
    next: Words,
    box: BoxSchema.nullable(),
    closed: z.string().nullable().meta({ description: 'The unit that this scan closed.' }),
    repeated: z.boolean(),
  })
  .meta({ id: 'PackingAnswer' })
const StationAnswer = z
  .object({
    station: z.string(),
    next: Words,
    box: BoxSchema.nullable(),
    last: z
      .object({
        unitId: z.string(),
        orderNumber: z.string(),
        state: z.string(),
        parcel: z.string().nullable(),
        waybill: z.string().nullable(),
        label: z.string().nullable().meta({ description: 'Where the label is; null while it is being booked.' }),
        deliveryNote: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'PackingStation' })
const WaveSchema = z
  .object({
    id: z.string(),
    location: z.string(),
    connection: z.string().nullable().meta({ description: 'The warehouse system; null: picked by people of ours.' }),
    state: z.string(),
    sortedBy: z.record(z.string(), z.string()),
    createdAt: z.string(),
    units: z.int(),
    packed: z.int(),
    boxes: z.int().meta({ description: 'Orders that share a box count once.' }),
    kinds: z.record(z.string(), z.int()).meta({ description: 'Units by kind of order.' }),
    regions: z.record(z.string(), z.int()).meta({ description: 'Units by city, or convenience-store chain.' }),
    highestPriority: z.int().nullable(),
  })
  .meta({ id: 'Wave' })
const WavesQuery = z.strictObject({ location: text(64).optional(), limit: z.coerce.number().int().min(1).max(500).default(50) })

const PAGE = readFileSync(new URL('../packing.html', import.meta.url), 'utf8')

const missing = (error: unknown, what: string, id: string): never => {
  throw error instanceof OmnisagaError && error.code === 'notFound' ? notFound(what, id) : error
}

export const packingRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/waves',
    operationId: 'listWaves',
    summary: 'Waves, newest first',
    access: 'key',
    query: WavesQuery,
    responses: { 200: { description: 'The waves.', schema: z.object({ waves: z.array(WaveSchema) }) } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { waves: await listWaves(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/waves',
    operationId: 'makeWaves',
    summary: 'Waves of what is ready at a location, now',
    description: 'Waits for no cut-off; sorted as the location is configured. Nothing ready: no waves.',
    access: 'key',
    body: z.strictObject({ location: text(64) }),
    responses: {
      200: { description: 'The ids of the waves made.', schema: z.object({ waves: z.array(z.string()) }) },
      422: { description: 'No waves are made there.' },
    },
    handle: async ({ runtime, body }) => ({ status: 200, body: { waves: await makeWavesNow(runtime, body.location) } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/waves/{id}',
    operationId: 'getWave',
    summary: 'One wave',
    access: 'key',
    params: Id,
    responses: { 200: { description: 'The wave.', schema: WaveSchema }, 404: { description: 'No such wave.' } },
    handle: async ({ runtime, params }) => {
      const wave = await getWave(runtime.pool, params.id)
      if (wave === null) throw notFound('wave', params.id)
      return { status: 200, body: wave }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/waves/{id}/pick-list.pdf',
    operationId: 'getPickList',
    summary: 'The pick list of a wave by shelf path, and its boxes with their codes',
    access: 'key',
    params: Id,
    responses: { 200: { description: 'A4.', contentType: PDF }, 404: { description: 'No such wave.' } },
    handle: async ({ runtime, params }) =>
      pdf(await pickListOf(runtime.pool, params.id, new Date()).catch((error) => missing(error, 'wave', params.id))),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/units/{id}/delivery-note.pdf',
    operationId: 'getDeliveryNote',
    summary: 'The paper in the box: what is in it, no prices',
    access: 'key',
    params: Id,
    responses: { 200: { description: 'A4.', contentType: PDF }, 404: { description: 'No such unit.' } },
    handle: async ({ runtime, params }) =>
      pdf(await deliveryNoteOf(runtime.pool, params.id, new Date()).catch((error) => missing(error, 'unit', params.id))),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/units/{id}/item-labels.pdf',
    operationId: 'getItemLabels',
    summary: 'A label for each piece whose product asks for one',
    access: 'key',
    params: Id,
    responses: {
      200: { description: '50 x 30 mm, a page a piece.', contentType: PDF },
      404: { description: 'No such unit.' },
      409: { description: 'No product of it asks for a label.' },
    },
    handle: async ({ runtime, params }) =>
      pdf(await itemLabelsOf(runtime.pool, params.id, new Date()).catch((error) => missing(error, 'unit', params.id))),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/packing/scan',
    operationId: 'scan',
    summary: 'What a scanner at a packing station has read',
    description: 'Always answered with what to show next, also when the code is not taken: see `message.tone`.',
    access: 'key',
    body: ScanRequest,
    responses: { 200: { description: 'What to show.', schema: ScanAnswer } },
    handle: async ({ runtime, body, who }) => ({ status: 200, body: await scan(runtime, { ...body, who }) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/packing/stations/{station}',
    operationId: 'getStation',
    summary: 'What a station has on its bench, and the label of the box it closed last',
    access: 'key',
    params: Station,
    responses: { 200: { description: 'The station; one that has never scanned has nothing.', schema: StationAnswer } },
    handle: async ({ runtime, params }) => ({ status: 200, body: await stationView(runtime.pool, params.station) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/packing',
    operationId: 'packingPage',
    summary: 'A page for a packing station with a keyboard-wedge scanner',
    description: 'It asks for the API key, where there is one, and keeps it in the tab alone.',
    access: 'public',
    responses: { 200: { description: 'The page.', contentType: 'text/html' } },
    handle: async () => ({
      status: 200,
      contentType: 'text/html; charset=utf-8',
      headers: {
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-src blob:",
      },
      body: PAGE,
    }),
  }),
]
