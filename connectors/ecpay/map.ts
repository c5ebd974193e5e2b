/**
 * The store map (/Express/map, developers.ecpay.com.tw ?p=22409) and the list of stores (/Helper/GetStoreList, ?p=49055). The map is a
 * page for the customer's browser; its answer is a form without CheckMacValue, so that only `ExtraData`, which ECPay sends back as it
 * was, can prove whose choice it is.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import type { CvsChain } from '../../domain/order.ts'
import { parseForm } from '../kit/form.ts'
import { readShape } from '../kit/json.ts'
import { forged } from '../kit/signature.ts'
import type { Document, PickupChoice, PickupPoint } from '../kit/types.ts'
import { CVS_SERVICES, type EcpayConfig } from './config.ts'
import { invalid } from './fields.ts'
import { refusal } from './answer.ts'
import { signed } from './mac.ts'

const CHAINS = Object.keys(CVS_SERVICES) as CvsChain[]
const chainOf = (subType: string): CvsChain | undefined =>
  CHAINS.find((chain) => (CVS_SERVICES[chain] as readonly string[]).includes(subType))

export function mapRequest(
  config: EcpayConfig,
  args: { chain: CvsChain; replyUrl: string; extra: string; cod: boolean },
): { url: string; fields: Record<string, string> } {
  if (!/^[A-Za-z0-9]{1,20}$/.test(args.extra))
    throw invalid('ExtraData', 'not 1 to 20 letters and digits', 'This is a fault of the caller.')
  if (args.replyUrl.length > 200) throw invalid('ServerReplyURL', 'longer than 200 characters', 'Use a shorter address.')
  const fields: Record<string, string> = {
    MerchantID: config.merchantId,
    MerchantTradeNo: args.extra,
    LogisticsType: 'CVS',
    LogisticsSubType: config.services[args.chain],
    IsCollection: args.cod ? 'Y' : 'N',
    ServerReplyURL: args.replyUrl,
    ExtraData: args.extra,
  }
  return { url: `${config.baseUrl.replace(/\/$/, '')}/Express/map`, fields: signed(fields, config) }
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** A page whose form posts itself; without scripts there is a button. */
export function formPage({ url, fields }: { url: string; fields: Record<string, string> }, title: string): Document {
  const inputs = Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`)
    .join('')
  const html = `<!doctype html><html lang="zh-Hant"><head><meta charset="utf-8"><title>${escaped(title)}</title></head><body>
<form id="go" method="post" action="${escaped(url)}">${inputs}<noscript><button>${escaped(title)}</button></noscript></form>
<script>document.getElementById('go').submit()</script></body></html>`
  return { contentType: 'text/html; charset=utf-8', bytes: Buffer.from(html, 'utf8') }
}

const STORE_ID = /^[A-Za-z0-9]{1,9}$/

/** @throws OmnisagaError Rejected, code `forged`, when it is no answer of the map to this merchant. */
export function readMapReply(config: EcpayConfig, rawBody: Buffer): PickupChoice {
  let fields: Record<string, string>
  try {
    fields = parseForm(rawBody.toString('utf8'))
  } catch (error) {
    throw forged('ECPay map', error instanceof OmnisagaError ? error.message : 'it is not a form')
  }
  const chain = chainOf(fields.LogisticsSubType ?? '')
  if (fields.MerchantID !== config.merchantId) throw forged('ECPay map', 'it is about another merchant')
  if (chain === undefined || !STORE_ID.test(fields.CVSStoreID ?? '') || !fields.ExtraData)
    throw forged('ECPay map', 'it names no chain, store or choice')
  return { chain, storeId: fields.CVSStoreID ?? '', name: fields.CVSStoreName?.slice(0, 60) || null, extra: fields.ExtraData }
}

export function storeListRequest(config: EcpayConfig, chain: CvsChain): { url: string; fields: Record<string, string> } {
  const frozen = config.services[chain] === 'UNIMARTFREEZE'
  const fields: Record<string, string> = {
    MerchantID: config.merchantId,
    CvsType: frozen ? 'UNIMARTFREEZE' : chain,
    ...(config.platformId ? { PlatformID: config.platformId } : {}),
  }
  return { url: `${config.baseUrl.replace(/\/$/, '')}/Helper/GetStoreList`, fields: signed(fields, config) }
}

const StoreList = z.looseObject({
  RtnCode: z.coerce.number(),
  RtnMsg: z.string().nullish(),
  StoreList: z
    .array(
      z.looseObject({
        StoreInfo: z.array(
          z.looseObject({ StoreId: z.string(), StoreName: z.string(), StoreAddr: z.string(), StorePhone: z.string().nullish() }),
        ),
      }),
    )
    .nullish(),
})

export function parseStoreList(chain: CvsChain, json: unknown): PickupPoint[] {
  const { RtnCode, RtnMsg, StoreList: chains } = readShape(StoreList, json, 'ECPay store list')
  if (RtnCode !== 1) throw refusal(RtnMsg ?? `RtnCode ${RtnCode}`)
  return (chains ?? []).flatMap(({ StoreInfo }) =>
    StoreInfo.map((store) => ({
      chain,
      storeId: store.StoreId,
      name: store.StoreName,
      address: store.StoreAddr,
      phone: store.StorePhone || null,
    })),
  )
}
