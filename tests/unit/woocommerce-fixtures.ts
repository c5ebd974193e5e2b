/** A connection to WooCommerce for tests, and the documents' examples. */
import { readFileSync } from 'node:fs'
import { createHttpClient } from '../../connectors/kit/http.ts'
import { defaultLimits } from '../../connectors/kit/limits.ts'
import type { HttpClient } from '../../connectors/kit/types.ts'
import type { WooContext } from '../../connectors/woocommerce/api.ts'
import { WooConfig } from '../../connectors/woocommerce/config.ts'

export const KEY = { consumerKey: 'ck_abc123', consumerSecret: 'cs_def456', webhookSecret: 'hook-secret' }
export const NOW = new Date('2026-11-22T02:00:00Z')

export const realHttp = (): HttpClient =>
  createHttpClient({
    connection: 'woo',
    limits: defaultLimits,
    quota: { take: async () => undefined, pause: async () => undefined },
  })
export const context = (options: { config?: Record<string, unknown>; http?: HttpClient; now?: () => Date } = {}): WooContext => ({
  connection: {
    name: 'woo-main',
    connector: 'woocommerce',
    version: 1,
    config: WooConfig.parse({ baseUrl: 'https://shop.example', ...KEY, ...options.config }),
    paused: false,
  },
  http: options.http ?? realHttp(),
  tokens: { read: async () => null, refresh: () => Promise.reject(new Error('there is nothing to refresh')) },
  now: options.now ?? (() => NOW),
})

/** See fixtures/woocommerce/ORIGIN.md: page, section, JSON. */
export const examples: Record<string, { section: string; json: unknown }[]> = (
  JSON.parse(readFileSync(new URL('fixtures/woocommerce/doc-json-examples.json', import.meta.url), 'utf8')) as {
    examples: Record<string, { section: string; json: unknown }[]>
  }
).examples

export const example = (page: string, section: string): unknown => {
  const found = examples[page]?.find((each) => each.section === section)
  if (!found) throw new Error(`no example ${section} on ${page}`)
  return found.json
}

export async function collect<T>(pages: AsyncGenerator<T[]>): Promise<T[][]> {
  const all: T[][] = []
  for await (const page of pages) all.push(page)
  return all
}
