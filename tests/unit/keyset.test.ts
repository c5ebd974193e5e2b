import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pullKeyset } from '../../connectors/kit/keyset.ts'

interface Item {
  id: string
  at: number
}
const list = (items: Item[], to: number, take: number, maxTake = 64) => ({
  what: 'test',
  page: async (start: Date, count: number) =>
    items
      .filter(({ at }) => at >= start.getTime() && at <= to)
      .toSorted((a, b) => a.at - b.at)
      .slice(0, count)
      .map((item) => ({ ...item })),
  idOf: ({ id }: Item) => id,
  timeOf: ({ at }: Item) => new Date(at),
  take,
  maxTake,
})
async function drain(pages: AsyncGenerator<Item[]>, between: () => void = () => undefined): Promise<Item[]> {
  const all: Item[] = []
  for await (const page of pages) {
    all.push(...page)
    between()
  }
  return all
}

describe('a list that is read from the instant of the last record on', () => {
  it('shows each record once, however many share an instant', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        async (times, take) => {
          const items = times.map((at, index) => ({ id: String(index), at }))
          const shown = await drain(pullKeyset(list(items, 100, take), new Date(0)))
          expect(shown.map(({ id }) => Number(id)).toSorted((a, b) => a - b)).toEqual(items.map((_, index) => index))
        },
      ),
    )
  })

  it('loses none that was not edited when others are edited between the pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 30 }),
        fc.infiniteStream(fc.nat(29)),
        async (times, edits) => {
          const items = times.map((at, index) => ({ id: String(index), at }))
          const edited = new Set<string>()
          let now = 1_000
          const shown = await drain(pullKeyset(list(items, 500, 3), new Date(0)), () => {
            const item = items[edits.next().value % items.length]!
            item.at = now++
            edited.add(item.id)
          })
          const ids = new Set(shown.map(({ id }) => id))
          for (const { id } of items) if (!edited.has(id)) expect(ids).toContain(id)
          expect(shown).toHaveLength(new Set(shown.map(({ id, at }) => `${id} ${at}`)).size)
        },
      ),
    )
  })

  it('says so when more share an instant than the vendor gives at once', async () => {
    const items = Array.from({ length: 9 }, (_, id) => ({ id: String(id), at: 5 }))
    await expect(drain(pullKeyset(list(items, 100, 2, 8), new Date(0)))).rejects.toMatchObject({
      kind: 'Transient',
      code: 'one-instant',
    })
  })
})
