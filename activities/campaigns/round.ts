/** Closes group-buys whose time is up and lets each of their orders hear of it; killed in between, the next round goes on. */
import { closeDueCampaigns, unheardOf } from '../../store/campaigns.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { ring } from '../engine.ts'
import type { Runtime } from '../runtime.ts'
import { hear } from './standing.ts'

const BATCH = 500

export async function closeCampaigns(runtime: Runtime): Promise<void> {
  await closeDueCampaigns(runtime.pool)
  for (const { id } of await unheardOf(runtime.pool, BATCH)) {
    await changeOrder(runtime.pool, id, 'world', async (record, tx) => {
      await hear(runtime, tx, record)
      record.wake()
    })
    await ring(runtime, id)
  }
}
