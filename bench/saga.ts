/**
 * Orders a second through the whole saga of a prepaid home delivery, beside a bare saga with the same steps, activity and signals on
 * the same Temporal server, rounds in turn; and what Temporal keeps of one such order.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { historyCost } from './historyCost.ts'
import { atMost, compared, type Measure } from './measure.ts'
import type { Place } from './place.ts'
import { startBare } from './saga/bare.ts'
import { startProduct, type Product } from './saga/product.ts'
import { runRound } from './saga/round.ts'

const AT_ONCE = 64
const GOAL_RATIO = 0.8
const GOAL_ACTIONS = 12
const GOAL_EVENTS = 80
const GOAL_BYTES = 40 * 1024

export async function sagaMeasures(place: Place, quick: boolean): Promise<Measure[]> {
  const rounds = quick ? 1 : 3
  const orders = quick ? 100 : 200
  const engine = await place.temporal()
  const folder = await mkdtemp(join(tmpdir(), 'omnisaga-bench-'))
  const product = await startProduct({ databaseUrl: await place.database(), engine, folder })
  const bare = await startBare(engine.address, engine.namespace)
  try {
    let serial = 0
    const next = (count: number) => Array.from({ length: count }, () => ++serial)
    // Connections, plans and compilers are warm before the first round.
    await runRound(bare, next(AT_ONCE), AT_ONCE)
    await runRound(product, next(AT_ONCE), AT_ONCE)
    const rates = { product: [] as number[], bare: [] as number[] }
    for (let round = 0; round < rounds; round++) {
      rates.bare.push(await runRound(bare, next(orders), AT_ONCE))
      rates.product.push(await runRound(product, next(orders), AT_ONCE))
    }
    return [
      compared(
        'saga: orders taken in, shipped, delivered, closed; against a bare saga',
        'orders/s',
        rates.product,
        rates.bare,
        GOAL_RATIO,
      ),
      ...(await costOfOneOrder(product, ++serial)),
    ]
  } finally {
    await bare.stop()
    await product.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** One order alone: nothing it does is helped or hindered by others. */
async function costOfOneOrder(product: Product, serial: number): Promise<Measure[]> {
  await runRound(product, [serial], 1)
  const history = await product.runtime.temporal.workflow.getHandle(product.workflowIdOf(serial)).fetchHistory()
  const { actions, events, bytes } = historyCost(history)
  return [
    atMost('saga: Actions of a delivered order', 'Actions', actions, GOAL_ACTIONS),
    atMost('saga: events in the history of a delivered order', 'events', events, GOAL_EVENTS),
    atMost('saga: size of the history of a delivered order', 'bytes', bytes, GOAL_BYTES),
  ]
}
