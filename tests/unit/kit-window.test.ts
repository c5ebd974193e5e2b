import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pullWindow, splitWindows, type Window } from '../../connectors/kit/window.ts'

interface Row {
  id: string
  changed: number
}
/** A vendor that lists by position, in the order of its choice. */
function vendor(rows: Row[], pageSize: number, sort: (a: Row, b: Row) => number, meanwhile: (request: number) => void) {
  let requests = 0
  return {
    what: 'rows',
    idOf: (row: Row) => row.id,
    async page(window: Window, cursor: number | null) {
      const page = cursor ?? 1
      const found = rows.filter((row) => row.changed >= window.from && row.changed <= window.to).toSorted(sort)
      const items = structuredClone(found.slice((page - 1) * pageSize, page * pageSize))
      meanwhile(++requests)
      return { items, next: page * pageSize >= found.length ? null : page + 1 }
    },
  }
}
const at = (seconds: number) => new Date(seconds * 1000)
const byId = (a: Row, b: Row) => (a.id < b.id ? -1 : 1)

describe('a window listed until it holds still', () => {
  it('loses none and repeats none, whatever the pages, the order and the edits meanwhile', async () => {
    const plan = fc.record({
      times: fc.array(fc.integer({ min: 100, max: 140 }), { maxLength: 30 }),
      pageSize: fc.integer({ min: 1, max: 8 }),
      newestFirst: fc.boolean(),
      edits: fc.array(fc.record({ after: fc.integer({ min: 1, max: 12 }), row: fc.nat() }), { maxLength: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(plan, async ({ times, pageSize, newestFirst, edits }) => {
        const rows = times.map((changed, index) => ({ id: String(1000 + index), changed }))
        const sort = (a: Row, b: Row) => (newestFirst ? b.changed - a.changed : 0) || byId(a, b)
        const list = vendor(rows, pageSize, sort, (request) => {
          for (const edit of edits) {
            const row = rows[edit.row % Math.max(1, rows.length)]
            if (edit.after === request && row) row.changed = 200 + request
          }
        })
        const given: string[] = []
        for await (const page of pullWindow(list, { from: at(100), to: at(140) })) given.push(...page.map((row) => row.id))
        expect(new Set(given).size).toBe(given.length)
        // Whatever is missing was edited, and the next pull begins where this one ended.
        const missing = rows.filter((row) => !given.includes(row.id))
        expect(missing.every((row) => row.changed > 140)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('of one page is asked for once, of several twice', async () => {
    const rows = Array.from({ length: 5 }, (_, index) => ({ id: String(index), changed: 100 + index }))
    for (const [pageSize, expected] of [
      [5, 1],
      [3, 4],
    ] as const) {
      let requests = 0
      const list = vendor(rows, pageSize, byId, () => void requests++)
      for await (const page of pullWindow(list, { from: at(100), to: at(140) })) expect(page.length).toBeGreaterThan(0)
      expect(requests).toBe(expected)
    }
  })

  it('gives up on a second whose records keep leaving it, to be tried again', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => ({ id: String(100 + index), changed: 100 }))
    let next = 0
    const list = vendor(rows, 2, byId, () => {
      const row = rows[next++]
      if (row) row.changed = 300
    })
    await expect(
      (async () => {
        for await (const page of pullWindow(list, { from: at(100), to: at(100) })) expect(page.length).toBeGreaterThan(0)
      })(),
    ).rejects.toMatchObject({ kind: 'Transient' })
  })
})

describe('windows of a vendor that takes 15 days', () => {
  it('cover the time without a gap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_600_000_000, max: 1_800_000_000 }),
        fc.integer({ min: 0, max: 100 * 86_400 }),
        (from, length) => {
          const windows = splitWindows(new Date(from * 1000), new Date((from + length) * 1000), 15 * 86_400)
          expect(windows[0]?.from).toBe(from)
          expect(windows.at(-1)?.to).toBe(from + length)
          windows.forEach((window, at) => {
            expect(window.to).toBeGreaterThanOrEqual(window.from)
            expect(window.to - window.from).toBeLessThan(15 * 86_400)
            const next = windows[at + 1]
            if (next) expect(next.from).toBe(window.to + 1)
          })
        },
      ),
    )
  })
})
