/** A connection to a peer with the real HTTP client, without a database behind it. */
import { createHttpClient } from '../../connectors/kit/http.ts'
import { Limits } from '../../connectors/kit/limits.ts'
import type { Connector, ConnectorContext, TokenStore } from '../../connectors/kit/types.ts'

const noTokens: TokenStore = {
  read: async () => null,
  refresh: () => {
    throw new Error('nothing to refresh')
  },
}

export function contextOf<C>(connector: Connector<C>, config: Record<string, unknown>): ConnectorContext<C> {
  return {
    connection: {
      name: connector.name,
      connector: connector.name,
      version: 1,
      config: connector.configSchema.parse(config),
      paused: false,
    },
    http: createHttpClient({
      connection: connector.name,
      limits: Limits.parse({ timeoutMs: 60_000 }),
      quota: { take: async () => undefined, pause: async () => undefined },
    }),
    tokens: noTokens,
    now: () => new Date(),
  }
}
