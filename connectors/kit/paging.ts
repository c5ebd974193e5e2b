/** Reading page after page, to the end and no further. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { RawRecord } from './types.ts'

/**
 * Follows the vendor's own cursor (or page number) until there is none. Empty pages are passed over.
 * @throws Transient when the vendor gives a cursor that it gave before: it would never end.
 */
export async function* followPages<T, Cursor extends string | number>(
  read: (cursor: Cursor | null) => Promise<{ items: T[]; next: Cursor | null }>,
  what = 'list',
): AsyncGenerator<T[]> {
  const seen = new Set<Cursor>()
  for (let cursor: Cursor | null = null; ;) {
    const page: { items: T[]; next: Cursor | null } = await read(cursor)
    if (page.items.length > 0) yield page.items
    if (page.next === null) return
    if (seen.has(page.next))
      throw new OmnisagaError('Transient', `${what}: the next page is one that was read already`, { code: 'page-loop' })
    seen.add(page.next)
    cursor = page.next
  }
}

/** What no page before has shown: a list that moves while it is read shows the same record twice. */
export async function* withoutRepeats(pages: AsyncIterable<RawRecord[]>): AsyncGenerator<RawRecord[]> {
  const seen = new Set<string>()
  for await (const page of pages) {
    const fresh = page.filter(({ kind, externalId, version }) => {
      const key = JSON.stringify([kind, externalId, version])
      return !seen.has(key) && seen.add(key)
    })
    if (fresh.length > 0) yield fresh
  }
}
