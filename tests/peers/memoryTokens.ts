import type { Tokens, TokenStore } from '../../connectors/kit/types.ts'

/** Tokens of one process without a database; `refreshes` counts how often they were asked for anew. */
export function memoryTokens(): TokenStore & { refreshes(): number; spoil(): void } {
  let current: Tokens | null = null
  let running: Promise<Tokens> | null = null
  let refreshes = 0
  return {
    read: async () => current,
    async refresh(stale, exchange) {
      if (running) return running
      if (current && current.accessToken !== stale?.accessToken) return current
      running = exchange(current)
      try {
        current = await running
        refreshes += 1
        return current
      } finally {
        running = null
      }
    },
    refreshes: () => refreshes,
    /** From now on the peer refuses what we hold. */
    spoil() {
      if (current) current = { ...current, accessToken: `${current.accessToken.slice(0, -4)}xxxx` }
    },
  }
}
