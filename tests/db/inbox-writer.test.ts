import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RawRecord } from '../../connectors/kit/types.ts'
import { InboxWriter } from '../../server/inboxWriter.ts'
import { storeRaw } from '../../store/inbox.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

let db: FreshDatabase
beforeAll(async () => {
  db = await freshDatabase()
})
afterAll(async () => {
  await db.drop()
})

const IDS = Array.from({ length: 150 }, (_, index) => `C${1000 + index}`)
const record = (externalId: string): RawRecord => ({
  kind: 'courierStatus',
  externalId,
  version: '3003@2026/01/02 03:04:05',
  eventAt: '2026-01-02T03:04:05+08:00',
  payload: { RtnCode: '3003' },
})

it('stores two batches under way whose duplicates cross, each record once and no batch refused', async () => {
  const failures: unknown[] = []
  const handed: string[][] = []
  const store = async (connection: string, records: RawRecord[]) => {
    handed.push(records.map(({ externalId }) => externalId))
    try {
      return await storeRaw(db.pool, connection, records)
    } catch (error) {
      failures.push(error)
      throw error
    }
  }
  // Two processes, the same reports, the one from the first to the last and the other from the last to the first.
  const [one, other] = [new InboxWriter(store), new InboxWriter(store)]
  await Promise.all([
    ...IDS.map((id) => one.write('ecpay', [record(id)])),
    ...IDS.toReversed().map((id) => other.write('ecpay', [record(id)])),
  ])
  expect(failures).toEqual([])
  // A statement locks its records in the order in which it was handed them.
  for (const ids of handed) expect(ids).toEqual(ids.toSorted())
  const { rows } = await db.pool.query<{ id: string }>('select external_id as id from inbox order by external_id')
  expect(rows.map(({ id }) => id)).toEqual(IDS)
})
