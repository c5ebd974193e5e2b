/** CYBERBIZ POS: sales at the tills and what comes back to them, and the stock of each POS shop. */
import { contentHash } from '../../domain/ids.ts'
import { readShape } from '../kit/json.ts'
import type {
  CheckResult,
  Connection,
  Connector,
  ConnectorContext,
  ExternalLevel,
  ExternalSale,
  RawRecord,
} from '../kit/types.ts'
import { isoOf, pages } from './api.ts'
import { checkAccount } from './check.ts'
import { CyberbizPosConfig, secretFields } from './config.ts'
import { linesOf, readOrder, vendorLineId } from './order.ts'
import { changedOrders } from './pull.ts'
import { orderOfWebhook } from './push.ts'
import { Order, PosShops, Variants, type Order as PosOrder } from './schemas.ts'
import { RETURN } from './status.ts'

type Context = ConnectorContext<CyberbizPosConfig>

const isBack = (status: string | null | undefined) => (status ? RETURN.get(status) === 'back' : false)

/** Lines that were brought back: all of a cancelled or returned sale, else those that say so. */
function returnedLines(order: PosOrder): Set<string> {
  const { order_status: stage, return_status: back } = order.statuses
  const whole = stage === 'cancelled' || (isBack(back) && back !== 'partial_return')
  return new Set(order.line_items.filter((line) => whole || isBack(line.return_status)).map((line) => String(line.id)))
}

/**
 * A sale is one record; each line that is brought back is another (`ID-back-LINE`), so that neither takes the other's place. The version
 * is of what moves stock alone: an edited note is no news.
 */
export function saleRecords(detail: Record<string, unknown>): RawRecord[] {
  const parsed = Order.safeParse(detail)
  if (!parsed.success) {
    const failure = `field ${parsed.error.issues[0]?.path.join('.')} is not as documented`
    const externalId = String(detail.id)
    return [
      { kind: 'sale', externalId, version: contentHash(detail).slice(0, 16), eventAt: null, payload: { ...detail, failure } },
    ]
  }
  const order = parsed.data
  const moves = linesOf(order).map((line) => [line.lineId, line.externalSku, line.quantity])
  const version = contentHash({ moves, shop: order.pos_info?.pos_shop_id ?? null }).slice(0, 16)
  const record = (externalId: string, at: string, part: Record<string, unknown>): RawRecord => ({
    kind: 'sale',
    externalId,
    version,
    eventAt: isoOf(at),
    payload: { ...detail, ...part },
  })
  return [
    record(String(order.id), order.created_at, {}),
    ...[...returnedLines(order)].map((lineId) =>
      record(`${order.id}-back-${lineId}`, order.timings?.cancelled_at ?? order.timings?.return_at ?? order.updated_at, {
        broughtBack: lineId,
      }),
    ),
  ]
}

/** Orders are told once: of a sale that is only ordered at the till and shipped from elsewhere nothing is known here. */
async function* pullSales(ctx: Context, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> {
  for await (const orders of changedOrders(ctx, 'pos', window)) yield orders.flatMap(saleRecords)
}

/** @throws OmnisagaError Invalid with the field and the remedy. */
export function mapSale(
  connection: Connection<CyberbizPosConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): ExternalSale {
  const order = readOrder(record)
  const back = typeof record.payload.broughtBack === 'string' ? record.payload.broughtBack : null
  const shopId = String(order.pos_info?.pos_shop_id ?? '')
  const at = back ? (order.timings?.cancelled_at ?? order.timings?.return_at ?? order.updated_at) : order.created_at
  return {
    externalId: record.externalId,
    externalLocation: shopId,
    location: connection.config.posShops[shopId] ?? null,
    at: isoOf(at),
    lines: linesOf(order)
      .filter((line) => back === null || vendorLineId(line.lineId) === back)
      .map(({ lineId, externalSku, quantity }) => ({
        lineId,
        externalSku: externalSku ?? lineId,
        quantity: back === null ? quantity : -quantity,
      })),
  }
}

async function posShops(ctx: Context): Promise<{ id: number }[]> {
  const shops: { id: number }[] = []
  for await (const page of pages(ctx, '/v1/pos_shops', (json) => readShape(PosShops, json, 'CYBERBIZ GET /v1/pos_shops')))
    shops.push(...page)
  return shops
}

/** Besides the token: whether the POS shops that have a location of ours are there. */
async function check(ctx: Context): Promise<CheckResult> {
  const result = await checkAccount(ctx, 'pos')
  if (!result.ok) return result
  const ids = new Set((await posShops(ctx)).map((shop) => String(shop.id)))
  const problems = Object.keys(ctx.connection.config.posShops)
    .filter((id) => !ids.has(id))
    .map((id) => ({
      message: `posShops names the POS shop ${id}, which the shop does not have`,
      remedy: `Use one of ${[...ids].join(', ') || '(it has none)'}.`,
    }))
  return { ok: problems.length === 0, problems }
}

/** GET /v1/pos_shops, then each one's variants. A shop that the configuration names none of ours for is read all the same. */
async function* read(ctx: Context): AsyncGenerator<ExternalLevel[]> {
  const shops = await posShops(ctx)
  for (const shop of shops) {
    const path = `/v1/pos_shops/${shop.id}/product_variants`
    const location = ctx.connection.config.posShops[String(shop.id)] ?? null
    for await (const page of pages(ctx, path, (json) => readShape(Variants, json, `CYBERBIZ GET ${path}`)))
      yield page.flatMap((variant) => {
        const sku = variant.sku?.trim()
        if (!sku || variant.inventory_management === false || typeof variant.inventory_quantity !== 'number') return []
        const onHand = variant.inventory_quantity
        return [{ externalSku: sku, externalLocation: String(shop.id), location, onHand, at: null }]
      })
  }
}

export const cyberbizPos: Connector<CyberbizPosConfig> = {
  name: 'cyberbiz-pos',
  title: 'CYBERBIZ POS',
  kind: 'pos',
  configSchema: CyberbizPosConfig,
  secretFields,
  check,
  // The articles are the shop's: a number that a person explained once is known here too.
  identity: (connection) => ({ channel: 'cyberbiz', shop: connection.config.shopDomain }),
  pullSales,
  mapSale,
  receiveWebhook(ctx, request) {
    const told = orderOfWebhook(ctx, request)
    const atTill = told !== null && (told.detail.pos_info as { pos_shop_id?: unknown } | null)?.pos_shop_id
    return {
      records: told !== null && typeof atTill === 'number' ? saleRecords(told.detail) : [],
      answer: { status: 200, contentType: 'application/json', body: '{}' },
    }
  },
  // Levels of a till's shop are read, never pushed.
  stock: { batchSize: 1, read },
}
