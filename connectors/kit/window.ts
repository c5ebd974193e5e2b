/**
 * Everything changed in a stretch of time, from a list that is read page by page and by position. Pure but for `list.page`.
 *
 * A record edited during the walk leaves the window (its time moves past the end), everything behind it moves up by one, and
 * what stood at the border of the next page is never shown. So a window of several pages is listed again: records only ever
 * leave a window that lies in the past, hence two equal listings in a row prove the first complete. When they differ the window
 * is halved, until one page holds it, which is one answer and cannot tear.
 */
import { OmnisagaError } from '../../domain/errors.ts'

/** Seconds since 1970, both ends included. */
export interface Window {
  from: number
  to: number
}
export interface WindowedList<T> {
  /** As people call it, for errors, e.g. `CYBERBIZ orders`. */
  what: string
  /** Pages count from 1. */
  page(window: Window, page: number): Promise<{ items: T[]; last: boolean }>
  idOf(item: T): string
}

/** A window that cannot be halved any more (one second) is listed at most so often. */
const MAX_LISTINGS = 5

const sameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>) => a.size === b.size && [...a].every((entry) => b.has(entry))

/** Gives each page's items that are not in `seen`, and collects the ids of all in `found`. @returns the number of pages. */
async function* walk<T>(
  list: WindowedList<T>,
  window: Window,
  seen: Set<string>,
  found: Set<string>,
): AsyncGenerator<T[], number> {
  for (let number = 1; ; number++) {
    const { items, last } = await list.page(window, number)
    const fresh: T[] = []
    for (const item of items) {
      const id = list.idOf(item)
      found.add(id)
      if (seen.has(id)) continue
      seen.add(id)
      fresh.push(item)
    }
    if (fresh.length > 0) yield fresh
    if (last) return number
  }
}

async function* pullPart<T>(list: WindowedList<T>, window: Window, seen: Set<string>): AsyncGenerator<T[]> {
  let before = new Set<string>()
  if ((yield* walk(list, window, seen, before)) === 1) return
  for (let listing = 1; ; listing++) {
    const now = new Set<string>()
    yield* walk(list, window, seen, now)
    if (sameSet(before, now)) return
    if (window.to > window.from) break
    if (listing === MAX_LISTINGS)
      throw new OmnisagaError('Transient', `${list.what}: those of one second kept changing while they were read`)
    before = now
  }
  const middle = Math.floor((window.from + window.to) / 2)
  yield* pullPart(list, { from: window.from, to: middle }, seen)
  yield* pullPart(list, { from: middle + 1, to: window.to }, seen)
}

/**
 * Page by page, none lost and none twice; nothing at all when nothing changed. What was edited meanwhile is shown as it was when
 * it was read, and again by the next pull, which begins where this one ended.
 */
export async function* pullWindow<T>(list: WindowedList<T>, window: { from: Date; to: Date }): AsyncGenerator<T[]> {
  const part = { from: Math.floor(window.from.getTime() / 1000), to: Math.ceil(window.to.getTime() / 1000) }
  yield* pullPart(list, part, new Set())
}
