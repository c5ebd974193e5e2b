/** Parcels from outside: labels, the courier's store map and what a customer chose there, another store for a booked parcel. */
import { z } from 'zod'
import { bookedOf, printLabels } from '../../activities/labels.ts'
import { isMapToken, mapToken } from '../../activities/mapToken.ts'
import { storeIsSettled } from '../../activities/order/closedStore.ts'
import type { Runtime } from '../../activities/runtime.ts'
import type { Connector, ConnectorContext, Document } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { CvsChain } from '../../domain/order.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { getOrder, type OrderDetail } from '../../store/orders.ts'
import { findParcels, storeCourierOf } from '../../store/parcels.ts'
import { command } from '../commands.ts'
import { notFound, Problem } from '../problem.ts'
import { defineRoute, type Route } from '../route.ts'
import { OrderId } from '../schemas.ts'

const text = (most: number) => z.string().min(1).max(most)
const ParcelId = z.object({ id: text(200).meta({ description: 'Id of the parcel, our reference, or the waybill.' }) })
const MapQuery = z.strictObject({
  chain: CvsChain.optional().meta({ description: "Default: the order's chain." }),
  connection: text(100).optional().meta({ description: 'A courier; default: the one that the location of the goods uses.' }),
})
const LabelsRequest = z.strictObject({ parcels: z.array(text(200)).min(1).max(200) }).meta({ id: 'LabelsRequest' })
const LabelsAnswer = z
  .object({
    documents: z.array(
      z.object({
        connection: z.string(),
        service: z.string(),
        parcels: z.array(z.string()),
        contentType: z.string(),
        content: z.string().meta({ description: 'base64' }),
      }),
    ),
    refused: z.array(z.object({ parcel: z.string(), reason: z.string(), remedy: z.string() })),
  })
  .meta({ id: 'Labels' })
const StoreRequest = z.strictObject({ storeId: text(20) })
const StoreAnswer = z.object({ parcel: z.string(), storeId: z.string() })

const refused = (detail: string, remedy: string, path = 'id') =>
  new Problem(409, 'Refused', detail, { errors: [{ path, value: null, message: detail, remedy }] })

const served = ({ contentType, bytes }: Document) => ({ status: 200, contentType, body: bytes })

/** Where the courier's map sends the customer back to; behind a proxy OMNISAGA_PUBLIC_URL says it. */
const publicUrl = (request: { protocol: string; host: string }): string =>
  (process.env['OMNISAGA_PUBLIC_URL'] ?? `${request.protocol}://${request.host}`).replace(/\/$/, '')

type Desk = { courier: NonNullable<Connector['courier']>; context: ConnectorContext }

/** @param evenIfStopped for what calls nobody: the map is the customer's browser's business. */
async function courierOf(runtime: Runtime, name: string, evenIfStopped: boolean): Promise<Desk> {
  const { connector, context } = await runtime.connection(name, { evenIfStopped })
  if (!connector.courier) throw refused(`connection ${name} is not a courier`, 'Name a courier connection.', 'connection')
  return { courier: connector.courier, context }
}

async function orderFor(runtime: Runtime, id: string): Promise<OrderDetail> {
  const order = await getOrder(runtime.pool, id)
  if (!order) throw notFound('order', id)
  if (order.delivery.method !== 'cvs')
    throw refused('it is not to be picked up at a convenience store', 'Change its delivery method to cvs first.')
  return order
}

const escaped = (value: string) =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const pageOf = (title: string, words: string) =>
  `<!doctype html><html lang="zh-Hant"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title></head>` +
  `<body><h1>${escaped(title)}</h1><p>${escaped(words)}</p></body></html>`

const HTML = 'text/html; charset=utf-8'

const labelRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/parcels/{id}/label',
    operationId: 'getLabel',
    summary: "The parcel's label, as the courier prints it",
    description: 'Printing again books nothing. The content type is the courier’s: an HTML page, a PDF, an image.',
    access: 'key',
    params: ParcelId,
    responses: {
      200: { description: 'The label.', contentType: 'application/octet-stream' },
      404: { description: 'No such parcel.' },
      409: { description: 'It cannot be printed; `detail` says why.' },
    },
    handle: async ({ runtime, params }) => {
      if ((await findParcels(runtime.pool, params.id)).length === 0) throw notFound('parcel', params.id)
      const { documents, refused: not } = await printLabels(runtime, [params.id])
      const [printed, more] = documents
      if (!printed) throw refused(not[0]?.reason ?? 'nothing could be printed', not[0]?.remedy ?? 'Try again later.')
      if (more) throw refused('it has parcels of several services', 'Print them by POST /api/v1/labels, or one by one.')
      return served(printed.document)
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/labels',
    operationId: 'printLabels',
    summary: 'Labels of many parcels, as sheets where the courier has them',
    description:
      'Orders may be named too. One document for each courier and service; what cannot be printed is told beside them.',
    access: 'key',
    body: LabelsRequest,
    responses: { 200: { description: 'The documents.', schema: LabelsAnswer } },
    handle: async ({ runtime, body }) => {
      const { documents, refused: not } = await printLabels(runtime, body.parcels)
      const shown = documents.map(({ document, ...rest }) => ({
        ...rest,
        contentType: document.contentType,
        content: document.bytes.toString('base64'),
      }))
      return { status: 200, body: { documents: shown, refused: not } }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/parcels/{id}/store',
    operationId: 'changeStore',
    summary: 'Another pickup store for a parcel that is booked',
    description: 'Told to the courier first; for an order that is not booked yet, change its delivery instead.',
    access: 'key',
    params: ParcelId,
    body: StoreRequest,
    responses: {
      200: { description: 'The courier took it.', schema: StoreAnswer },
      404: { description: 'No such parcel.' },
      409: { description: 'The courier does not take it; `detail` says why.' },
    },
    handle: async ({ runtime, params, body }) => {
      const [parcel] = await findParcels(runtime.pool, params.id)
      if (!parcel) throw notFound('parcel', params.id)
      const { courier, context } = await courierOf(runtime, parcel.courier, false)
      if (!courier.changeStore || parcel.courierBookingId === null)
        throw refused(`${parcel.courier} cannot move this parcel to another store`, 'Let it come back, and send it again.')
      try {
        await courier.changeStore(context, bookedOf(parcel), body.storeId)
      } catch (error) {
        if (error instanceof OmnisagaError && (error.kind === 'Rejected' || error.kind === 'Invalid'))
          throw refused(error.message, error.remedy ?? 'Ask the courier.')
        throw error
      }
      await changeOrder(runtime.pool, parcel.orderId, 'world', async (record, tx) => {
        const { delivery } = record.doc
        if (delivery.cvs)
          record.doc = { ...record.doc, delivery: { ...delivery, cvs: { ...delivery.cvs, storeId: body.storeId } } }
        await storeIsSettled(tx, record, 'the courier takes it to another store')
      })
      return { status: 200, body: { parcel: parcel.id, storeId: body.storeId } }
    },
  }),
]

const MapParams = z.object({ connection: text(100), id: text(200) })
const mapOf = (connection: string, orderId: string) => ({ what: 'map' as const, connection, orderId })

/** A page of the courier's that leads to its map; what is chosen there comes back by itself. */
async function mapPage(
  runtime: Runtime,
  { order, chain, connection, base }: { order: OrderDetail; chain: CvsChain; connection: string; base: string },
): Promise<Document> {
  const { courier, context } = await courierOf(runtime, connection, true)
  if (!courier.pickupMap) throw refused(`${connection} has no store map`, 'Change delivery.cvs.storeId by hand.', 'connection')
  return courier.pickupMap(context, {
    chain,
    replyUrl: `${base}/webhooks/${encodeURIComponent(connection)}/map/${order.id}`,
    extra: mapToken(runtime.secretKey, mapOf(connection, order.id), new Date()),
    cod: order.payment.method === 'cod',
  })
}

const mapRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/orders/{id}/pickup-map',
    operationId: 'getPickupMap',
    summary: "A page that leads the customer to the courier's store map",
    description:
      'Hand it to the customer’s browser as it is; the choice comes back by itself and becomes a `change` of the order. It counts for a day.',
    access: 'key',
    params: OrderId,
    query: MapQuery,
    responses: {
      200: { description: 'The page.', contentType: 'text/html' },
      404: { description: 'No such order.' },
      409: { description: 'The order is not picked up at a store, or its courier has no map.' },
    },
    handle: async ({ runtime, params, query, request }) => {
      const order = await orderFor(runtime, params.id)
      const chain = query.chain ?? order.delivery.cvs?.chain
      if (!chain) throw refused('the order names no chain', 'Add ?chain=UNIMART, FAMI, HILIFE or OKMART.', 'chain')
      const connection = query.connection ?? (await storeCourierOf(runtime.pool, order.id))
      if (!connection)
        throw refused('no location has a courier for convenience stores', 'Name one: ?connection=NAME.', 'connection')
      return served(await mapPage(runtime, { order, chain, connection, base: publicUrl(request) }))
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/webhooks/{connection}/map/{id}',
    operationId: 'openStoreMap',
    summary: 'For a customer whose pickup store is closed: the way to the store map',
    description:
      'The link of the notice `storeClosed`; it proves itself, and counts until another store is chosen or the time is up.',
    access: 'signature',
    params: MapParams,
    query: z.strictObject({ mark: text(40) }),
    responses: {
      200: { description: 'The page that leads to the map.', contentType: 'text/html' },
      401: { description: 'It is no link of ours, or its time is up.', contentType: 'text/html' },
      404: { description: 'No such order.' },
      409: { description: 'Nothing is to be chosen any more.', contentType: 'text/html' },
    },
    handle: async ({ runtime, params: { connection, id }, query, request }) => {
      if (!isMapToken(runtime.secretKey, { what: 'link', connection, orderId: id }, query.mark, new Date()))
        return { status: 401, contentType: HTML, body: pageOf('連結已失效', '請直接與商店聯絡，告知新的取貨門市。') }
      const order = await getOrder(runtime.pool, id)
      const chain = order?.delivery.cvs?.chain
      if (!order || !chain) throw notFound('order', id)
      if (order.facts['storeClosed'] === undefined || order.closed)
        return { status: 409, contentType: HTML, body: pageOf('不需要再選擇門市', '已選擇其他門市，或包裹已送達、退回。') }
      return served(await mapPage(runtime, { order, chain, connection, base: publicUrl(request) }))
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/webhooks/{connection}/map/{id}',
    operationId: 'receiveMapChoice',
    summary: "The store that a customer chose on the courier's map",
    description:
      'Proved by what the page of `pickup-map` sent along; becomes a `change` of the order. A browser is answered with a page, also when the order refuses.',
    access: 'signature',
    params: MapParams,
    bodyKind: 'raw',
    bodyLimit: 64 * 1024,
    responses: {
      200: { description: 'Taken over, or asked for and kept.', contentType: 'text/html' },
      401: { description: 'It does not prove what it says.' },
      404: { description: 'No such connection or order.' },
      409: { description: 'It is too late; `detail` says why.' },
    },
    handle: async ({ runtime, params, request }) => {
      const { rows } = await runtime.pool.query('select 1 from connections where name = $1', [params.connection])
      if (rows.length === 0) throw notFound('connection', params.connection)
      const { courier, context } = await courierOf(runtime, params.connection, true)
      if (!courier.readMapReply) throw notFound('map of connection', params.connection)
      const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const choice = courier.readMapReply(context, { headers: {}, rawBody })
      if (!isMapToken(runtime.secretKey, mapOf(params.connection, params.id), choice.extra, new Date()))
        throw new OmnisagaError('Rejected', 'the choice of a store is not one that was asked for', { code: 'forged' })
      const order = await orderFor(runtime, params.id)
      const { chain, storeId } = choice
      const moved = order.delivery.cvs?.chain !== chain
      const asked = await command(runtime, {
        orderId: order.id,
        verb: 'change',
        detail: { delivery: { cvs: { chain, storeId }, ...(moved ? { service: null } : {}) } },
        who: 'customer:map',
      })
      const store = `${choice.name ?? ''} ${storeId}`.trim()
      if (asked.state !== 'refused')
        return { status: 200, contentType: HTML, body: pageOf('已選擇取貨門市', `${store} (${chain})`) }
      const why = asked.answer ?? 'the order cannot be changed now'
      if (!(request.headers.accept ?? '').includes('text/html')) throw refused(why, 'Ask the shop.')
      return { status: 409, contentType: HTML, body: pageOf('無法更改取貨門市', why) }
    },
  }),
]

export const parcelRoutes: Route[] = [...labelRoutes, ...mapRoutes]
