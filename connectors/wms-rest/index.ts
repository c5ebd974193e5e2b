/** A warehouse that speaks the REST profile which Omnisaga publishes: docs/connectors/wms-rest.openapi.json. */
import { callJson, checkBy, type Call } from '../kit/call.ts'
import { followPages } from '../kit/paging.ts'
import type { Connector, ConnectorContext, RawRecord } from '../kit/types.ts'
import {
  accountRequest,
  acknowledgeRequest,
  answersRequest,
  cancelRequest,
  labelRequest,
  mapAdvice,
  parseAccount,
  parseAnswers,
  waveRequest,
} from './api.ts'
import { secretFields, WmsRestConfig } from './config.ts'

type Context = ConnectorContext<WmsRestConfig>

/** Answers of one reading; the rest waits for the next one, so that memory stays bounded. */
const MAX_ANSWERS = 10_000

const told = (json: unknown) => (json ?? {}) as { code?: string; message?: string }
const call = (ctx: Context, request: Call) => callJson(ctx, request, told)

async function readAnswers(ctx: Context) {
  const { config } = ctx.connection
  const records: RawRecord[] = []
  let last: string | null = null
  const pages = followPages(async (after: string | null) => {
    const page = parseAnswers(await call(ctx, answersRequest(config, { after, limit: config.pageSize })))
    last = page.ids.at(-1) ?? last
    return page
  }, 'warehouse answers')
  for await (const page of pages) {
    records.push(...page)
    if (records.length >= MAX_ANSWERS) break
  }
  return {
    records,
    rejected: [],
    acknowledge: async () => {
      if (last !== null) await call(ctx, acknowledgeRequest(config, last))
    },
  }
}

export const wmsRest: Connector<WmsRestConfig> = {
  name: 'wms-rest',
  title: 'Warehouse REST profile',
  kind: 'warehouse',
  configSchema: WmsRestConfig,
  secretFields,
  check: (ctx) => checkBy(async () => parseAccount(await call(ctx, accountRequest(ctx.connection.config)))),
  warehouse: {
    sendWave: async (ctx, wave) => {
      await call(ctx, waveRequest(ctx.connection.config, wave))
      return wave.id
    },
    sendCancel: async (ctx, args) => void (await call(ctx, cancelRequest(ctx.connection.config, args))),
    sendLabel: async (ctx, args) => void (await call(ctx, labelRequest(ctx.connection.config, args))),
    readAnswers,
    mapAdvice,
  },
}
