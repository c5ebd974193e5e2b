/** The clockwork of one round, the same for the product and for the bare saga: so many orders under way, answered at each turn. */
import { setTimeout as pause } from 'node:timers/promises'

/** What stands outside answers at each turn; the product and the bare saga wait alike. */
const TURN_MS = 20
const ROUND_TIMEOUT_MS = 180_000

export interface Contender {
  /** Takes one order in and starts its workflow. */
  begin(serial: number): Promise<void>
  /** The warehouse and the courier's last report: answers what waits now. */
  answer(): Promise<void>
  /** How many orders have been delivered and closed since the contender was made. */
  finished(): Promise<number>
  stop(): Promise<void>
}

/** @returns orders a second. @throws when the round does not end. */
export async function runRound(contender: Contender, serials: number[], atOnce: number): Promise<number> {
  const before = await contender.finished()
  const deadline = Date.now() + ROUND_TIMEOUT_MS
  const began = performance.now()
  let begun = 0
  let done = 0
  let failure: unknown = null
  while (done < serials.length) {
    if (failure !== null) throw failure
    if (Date.now() > deadline) throw new Error(`only ${done} of ${serials.length} orders were closed in ${ROUND_TIMEOUT_MS} ms`)
    const next = serials.slice(begun, done + atOnce)
    begun += next.length
    // Whoever takes orders in does not wait for those who answer.
    for (const serial of next) contender.begin(serial).catch((error: unknown) => (failure ??= error))
    await Promise.all([contender.answer(), pause(TURN_MS)])
    done = (await contender.finished()) - before
  }
  return serials.length / ((performance.now() - began) / 1000)
}

/** Side by side, at most `width` at once. */
export async function each<T>(items: T[], work: (item: T) => Promise<unknown>, width = 16): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
