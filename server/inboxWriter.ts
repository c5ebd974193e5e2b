/**
 * Webhooks that arrive together are stored together: while two statements are under way (one is written to disk while the next is
 * made) the others gather, so that a flood costs few commits. Each caller is answered only when its own records are durable.
 */
import type { RawRecord } from '../connectors/kit/types.ts'

type Store = (connection: string, records: RawRecord[]) => Promise<unknown>
interface Waiting {
  records: RawRecord[]
  resolve: () => void
  reject: (error: unknown) => void
}

const MOST_TOGETHER = 200
/** Statements under way for one connection. */
const AT_ONCE = 2

const keyOf = ({ kind, externalId, version }: RawRecord) => `${kind}\n${externalId}\n${version}`

/** Two statements that hold the same records wait for each other in one order; in two orders they would lock each other out. */
function byKey(a: RawRecord, b: RawRecord): number {
  const [left, right] = [keyOf(a), keyOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

export class InboxWriter {
  readonly #store: Store
  readonly #waiting = new Map<string, Waiting[]>()
  readonly #running = new Map<string, number>()

  constructor(store: Store) {
    this.#store = store
  }

  write(connection: string, records: RawRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(connection) ?? []
      queue.push({ records, resolve, reject })
      this.#waiting.set(connection, queue)
      if ((this.#running.get(connection) ?? 0) < AT_ONCE) void this.#drain(connection)
    })
  }

  /** Never rejects: every failure goes to the caller whose records failed. */
  async #drain(connection: string): Promise<void> {
    this.#running.set(connection, (this.#running.get(connection) ?? 0) + 1)
    for (;;) {
      const queue = this.#waiting.get(connection) ?? []
      const batch = queue.splice(0, MOST_TOGETHER)
      if (batch.length === 0) break
      try {
        await this.#store(connection, batch.flatMap((waiting) => waiting.records).sort(byKey))
        for (const waiting of batch) waiting.resolve()
      } catch (error) {
        if (batch.length === 1) batch[0]!.reject(error)
        else for (const waiting of batch) await this.#storeAlone(connection, waiting)
      }
    }
    const others = (this.#running.get(connection) ?? 1) - 1
    if (others > 0) return void this.#running.set(connection, others)
    this.#waiting.delete(connection)
    this.#running.delete(connection)
  }

  /** One record that cannot be stored must not take its neighbours with it. */
  async #storeAlone(connection: string, waiting: Waiting): Promise<void> {
    try {
      await this.#store(connection, waiting.records)
      waiting.resolve()
    } catch (error) {
      waiting.reject(error)
    }
  }
}
