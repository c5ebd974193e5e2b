/** A place where our own people pack with scanners, and paid orders of one recipient share a box. */
import { scan } from '../../activities/packing/scan.ts'
import { makeWavesNow } from '../../activities/waves.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { applyConnections } from '../../store/configuration.ts'
import type { Spine } from '../db/spineFixture.ts'

export type AtBench = { is: 'bench'; unit: number; how: 'wave' | 'pack' | 'broken' | 'notThere' | 'leave' | 'wrong' }

export const BENCH = 'bench'

export async function addBench({ runtime }: Spine): Promise<void> {
  const location = { id: BENCH, name: '理貨台', kind: 'warehouse', priority: 5, courierHome: 'ecpay', courierCvs: 'ecpay' }
  const document = { locations: [{ ...location, packing: { cutOffs: [] } }] }
  await applyConnections(runtime.pool, runtime.secretKey, document, runtime.connectors)
}

/** Whoever packs takes the next box up, and does with it what is said. */
export async function benchHappens(runtime: Runtime, { unit, how }: AtBench): Promise<void> {
  if (how === 'wave') {
    await makeWavesNow(runtime, BENCH)
    return
  }
  const { rows } = await runtime.pool.query<{ id: string }>(
    `select id from units where location = $1 and state in ('handedOver', 'picked') order by id`,
    [BENCH],
  )
  const id = rows[unit % Math.max(1, rows.length)]?.id
  if (id === undefined) return
  const says = async (code: string) => (await scan(runtime, { station: 'table', code, who: 'person:test' })).box?.bench ?? null
  await says('LEAVE')
  let bench = await says(id)
  if (how === 'wrong') return void (await says('TEE-S'))
  const [first] = bench?.lines ?? []
  if (first !== undefined && (how === 'broken' || how === 'notThere')) {
    await says(how === 'broken' ? 'DAMAGED' : 'SHORT')
    bench = await says(first.sku)
  }
  // A broken piece is replaced from the shelf: then there is more to scan.
  for (let rounds = 0; bench !== null && rounds < 4; rounds++) {
    for (const line of bench.lines) {
      const left = line.quantity - line.scanned - line.damaged - line.short
      for (let piece = 0; piece < left; piece++) await says(line.sku)
    }
    bench = await says(how === 'leave' ? 'LEAVE' : 'DONE')
  }
}
