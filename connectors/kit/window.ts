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
export interface WindowedList<T, Cursor> {
  /** As people call it, for errors, e.g. `CYBERBIZ orders`. */
  what: string
  /** Null at the first page, and `next` on the last. */
  page(window: Window, cursor: Cursor | null): Promise<{ items: T[]; next: Cursor | null }>
  idOf(item: T): string
  /** The longest stretch that the vendor takes in one question. */
  maxSeconds?: number
}

/** Windows of at most `maxSeconds` that cover [from, to] without a gap. */
export function splitWindows(from: Date, to: Date, maxSeconds = Infinity): Window[] {
  const end = Math.ceil(to.getTime() / 1000)
  const windows: Window[] = []
  for (let start = Math.floor(from.getTime() / 1000); start <= end; start += maxSeconds)
    windows.push({ from: start, to: Math.min(start + maxSeconds - 1, end) })
  return windows
}

/** A window that cannot be halved any more (one second) is listed at most so often. */
const MAX_LISTINGS = 5

const sameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>) => a.size === b.size && [...a].every((entry) => b.has(entry))

/** Gives each page's items that are not in `seen`, and collects the ids of all in `found`. @returns the number of pages. */
async function* walk<T, Cursor>(
  list: WindowedList<T, Cursor>,
  window: Window,
  seen: Set<string>,
  found: Set<string>,
): AsyncGenerator<T[], number> {
  let cursor: Cursor | null = null
  for (let pages = 1; ; pages++) {
    const { items, next }: { items: T[]; next: Cursor | null } = await list.page(window, cursor)
    const fresh: T[] = []
    for (const item of items) {
      const id = list.idOf(item)
      found.add(id)
      if (seen.has(id)) continue
      seen.add(id)
      fresh.push(item)
    }
    if (fresh.length > 0) yield fresh
    if (next === null) return pages
    cursor = next
  }
}

async function* pullPart<T, Cursor>(list: WindowedList<T, Cursor>, window: Window, seen: Set<string>): AsyncGenerator<T[]> {
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
export async function* pullWindow<T, Cursor>(
  list: WindowedList<T, Cursor>,
  window: { from: Date; to: Date },
): AsyncGenerator<T[]> {
  const seen = new Set<string>()
  for (const part of splitWindows(window.from, window.to, list.maxSeconds)) yield* pullPart(list, part, seen)
}
