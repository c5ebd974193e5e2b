/** Two shops and a warehouse system on a real database, driven round by round. */
import { refreshLevels, tellChannels } from '../../activities/stockLevels.ts'
import { createRuntime, type Runtime } from '../../runtime.ts'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { listTasks } from '../../store/tasks.ts'
import { freshDatabase } from '../harness/postgres.ts'
import { nextKey, request } from './ledgerFixture.ts'
import { standInShop, type Account, type StandInShop } from './standInShop.ts'

export interface StockWorld {
  runtime: Runtime
  shops: StandInShop
  web: Account
  mall: Account
  apply(document: Record<string, unknown>): Promise<unknown>
  count(sku: string, onHand: number, location?: string): Promise<void>
  /** Holds, and says whether all of it was there. */
  hold(sku: string, quantity: number, more?: Parameters<typeof request>[1] & { location?: string }): Promise<string>
  /** One turn of both rounds: computed, then told. */
  turn(): Promise<void>
  /** As if a pause had passed. */
  noPauses(): Promise<void>
  tasks(kind: string): Promise<{ title: string; detail: string }[]>
  stop(): Promise<void>
}

export const listing = (
  connection: string,
  listingId: string,
  skus: Record<string, number>,
  externalSku: string | null = null,
) => ({
  connection,
  listingId,
  externalSku,
  skus: Object.entries(skus).map(([sku, quantity]) => ({ sku, quantity })),
})

export const connection = (name: string, stock?: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  name,
  connector: 'stand-in',
  config: { channel: name, account: name },
  ...(stock ? { stock } : {}),
  ...more,
})

export async function startStockWorld(batchSize?: number): Promise<StockWorld> {
  const db = await freshDatabase()
  const shops = standInShop(batchSize)
  const connectors = { 'stand-in': shops.connector }
  const runtime = await createRuntime(
    {
      databaseUrl: db.url,
      temporal: { connection: { address: '127.0.0.1:1' }, namespace: 'default' },
      secretKey: secretKeyFrom('a passphrase for tests'),
    },
    { logLevel: 'silent', connectors },
  )
  const apply = (document: Record<string, unknown>) => applyConnections(runtime.pool, runtime.secretKey, document, connectors)
  await apply({
    locations: [
      { id: 'W1', name: 'Warehouse', kind: 'warehouse' },
      { id: 'W2', name: 'Second', kind: 'warehouse', priority: 1 },
      { id: 'S1', name: 'Store', kind: 'store', ships: false },
    ],
    products: ['TEE', 'CAP', 'MUG'].map((sku) => ({ sku, name: sku })),
  })
  return {
    runtime,
    shops,
    web: shops.account('web'),
    mall: shops.account('mall'),
    apply,
    async count(sku, onHand, location = 'W1') {
      await transaction(runtime.pool, (tx) => setOnHand(tx, { key: nextKey(), sku, location, onHand, reason: 'count' }))
    },
    async hold(sku, quantity, { location = 'W1', ...more } = {}) {
      const asked = request([{ lineId: '1', sku, location, quantity }], more)
      const answer = await runtime.reserver.reserve(asked)
      if (!answer.complete) throw new Error(`not enough ${sku}`)
      return asked.orderId
    },
    async turn() {
      await refreshLevels(runtime)
      await tellChannels(runtime)
    },
    async noPauses() {
      await runtime.pool.query(`update stock_sides set push_after = now(), list_due_at = now(), read_due_at = now()`)
      await runtime.pool.query(`update listing_levels set due_at = now()`)
    },
    tasks: async (kind) =>
      (await listTasks(runtime.pool, { state: 'open', kind })).map(({ title, detail }) => ({ title, detail })),
    async stop() {
      await runtime.close()
      await db.drop()
    },
  }
}
