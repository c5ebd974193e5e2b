/**
 * Everything in a stretch of time from a list that can be asked for "from this instant on, oldest first". Each page begins at the
 * instant of the last record before, so nothing shifts when a record is edited meanwhile: it only moves behind the end.
 */
import { OmnisagaError } from '../../domain/errors.ts'

export interface KeysetList<T> {
  /** As people call it, for errors, e.g. `Medusa orders`. */
  what: string
  /** At most `take` records from `start` on (itself included), oldest first, none later than the end of the window. */
  page(start: Date, take: number): Promise<T[]>
  idOf(item: T): string
  /** The time that the list is sorted by. A vendor that shows less than it stores must round down. */
  timeOf(item: T): Date
  /** Records a page. */
  take: number
  /** The most records that the vendor gives at once: as many may have the same instant. */
  maxTake: number
}

/** Page by page, none lost; one that was edited meanwhile may be shown twice, with two times. */
export async function* pullKeyset<T>(list: KeysetList<T>, from: Date): AsyncGenerator<T[]> {
  const seen = new Set<string>()
  let start = from
  let take = list.take
  for (;;) {
    const items = await list.page(start, take)
    const fresh = items.filter((item) => {
      const key = `${list.idOf(item)} ${list.timeOf(item).getTime()}`
      return !seen.has(key) && seen.add(key)
    })
    if (fresh.length > 0) yield fresh
    const last = items.at(-1)
    if (last === undefined || items.length < take) return
    if (list.timeOf(last).getTime() > start.getTime()) {
      start = list.timeOf(last)
      take = list.take
      continue
    }
    // A whole page of one instant: ask for more at once, since a position in it would shift.
    if (take >= list.maxTake)
      throw new OmnisagaError('Transient', `${list.what}: more than ${list.maxTake} of one instant`, {
        code: 'one-instant',
        remedy: 'Was there a bulk change at the vendor? It goes on once they differ; else import these records by a file.',
      })
    take = Math.min(take * 2, list.maxTake)
  }
}
