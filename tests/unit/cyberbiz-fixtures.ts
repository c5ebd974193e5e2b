/** A connection to CYBERBIZ for tests, and what was recorded of the live one. */
import { readFileSync } from 'node:fs'
import { createHttpClient } from '../../connectors/kit/http.ts'
import { defaultLimits } from '../../connectors/kit/limits.ts'
import type { ConnectorContext, HttpClient, RawRecord, TokenStore } from '../../connectors/kit/types.ts'
import { CyberbizConfig, CyberbizPosConfig } from '../../connectors/cyberbiz/config.ts'

export const ACCOUNT = { token: 'a.jwt.token', appSecret: 'app-secret', shopDomain: 'example.cyberbiz.co' }
export const NOW = new Date('2026-11-22T02:00:00Z')

export const realHttp = (): HttpClient =>
  createHttpClient({
    connection: 'cyberbiz',
    limits: defaultLimits,
    quota: { take: async () => undefined, pause: async () => undefined },
  })
const noTokens: TokenStore = {
  read: async () => null,
  refresh: () => Promise.reject(new Error('there is nothing to refresh')),
}

interface Options {
  config?: Record<string, unknown>
  http?: HttpClient
  now?: () => Date
}
const contextOf = <C>(connector: string, config: C, options: Options): ConnectorContext<C> => ({
  connection: { name: 'cyberbiz-main', connector, version: 1, config, paused: false },
  http: options.http ?? realHttp(),
  tokens: noTokens,
  now: options.now ?? (() => NOW),
})
export const context = (options: Options = {}): ConnectorContext<CyberbizConfig> =>
  contextOf('cyberbiz', CyberbizConfig.parse({ ...ACCOUNT, ...options.config }), options)
export const posContext = (options: Options = {}): ConnectorContext<CyberbizPosConfig> =>
  contextOf('cyberbiz-pos', CyberbizPosConfig.parse({ ...ACCOUNT, ...options.config }), options)

export interface Recorded {
  headers?: Record<string, string>
  body: Record<string, unknown>
}
/** See fixtures/cyberbiz/ORIGIN.md. */
export const recorded = (name: 'order-golden' | 'webhook-orders-paid'): Recorded =>
  JSON.parse(readFileSync(new URL(`fixtures/cyberbiz/${name}.json`, import.meta.url), 'utf8')) as Recorded

export async function collect<T>(pages: AsyncGenerator<T[]>): Promise<T[][]> {
  const all: T[][] = []
  for await (const page of pages) all.push(page)
  return all
}
export const ids = (pages: RawRecord[][]): string[] => pages.flat().map((record) => record.externalId)
