/** Parcels that bring goods back, or come back undelivered; what does not come. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyParcelReport } from '../../activities/parcelNews.ts'
import { receiveReturn } from '../../activities/returns/receive.ts'
import { returnRound } from '../../activities/returns/round.ts'
import type { ParcelMeaning } from '../../connectors/kit/types.ts'
import { readReturn } from '../../store/returns.ts'
import { startParticipants, type Participants } from './participantsFixture.ts'
import { returnsOf } from './returnsFixture.ts'

let at: Participants
beforeAll(async () => {
  at = await startParticipants()
})
afterAll(async () => {
  await at?.stop()
})
const { delivered, approved, onHand, policy, refundsOf, openKinds, violations } = returnsOf(() => at)

describe('news of a parcel that comes back', () => {
  let reports = 0
  const tell = (waybill: string, meaning: ParcelMeaning, second: number) => {
    reports += 1
    const eventAt = new Date(Date.UTC(2026, 10, 23, 4, 0, second)).toISOString()
    const report = { reference: null, courierBookingId: null, waybill, code: meaning, meaning, detail: '', eventAt }
    return applyParcelReport(at.runtime.pool, 2_000_000 + reports, report, 1_000, ['ecpay'])
  }
  /** By courier, or handed in at a convenience store: one row, one waybill. */
  const coming = async (way: 'courier' | 'cvs', waybill: string) => {
    const row = await approved(await delivered(), { way })
    await at.runtime.pool.query(
      `insert into return_parcels (id, return_id, courier, service, reference, state, waybill)
       values ($1 || '-px', $1, 'ecpay', 'X', $1 || 'ref', 'booked', $2)
       on conflict (return_id) where state not in ('refused', 'void') do update set state = 'booked', waybill = excluded.waybill`,
      [row.id, waybill],
    )
    return row
  }
  const parcelOf = async (id: string) => (await readReturn(at.runtime.pool, id)).parcels.at(-1)

  it.each(['courier', 'cvs'] as const)(
    'by %s moves it on, in any order, and once it is here a person looks into the box',
    async (way) => {
      const row = await coming(way, `RW-${way}`)
      await tell(`RW-${way}`, 'shipped', 1)
      expect((await parcelOf(row.id))?.state).toBe('shipped')
      await tell(`RW-${way}`, 'delivered', 9)
      await tell(`RW-${way}`, 'inTransit', 5)
      await tell(`RW-${way}`, 'delivered', 9)
      expect(await parcelOf(row.id)).toMatchObject({ state: 'arrived', lastStatus: 'delivered' })
      expect((await openKinds(row.orderId)).filter((kind) => kind === 'return.receive')).toHaveLength(1)
      expect((await at.spine.order(row.orderId)).phase).toBe('delivered')
    },
  )

  it('that is lost, or goes back to the customer, is a task', async () => {
    const row = await coming('courier', 'RW-lost')
    await tell('RW-lost', 'lost', 1)
    await tell('RW-lost', 'returning', 2)
    expect((await openKinds(row.orderId)).filter((kind) => kind === 'return.parcel')).toHaveLength(2)
    expect((await parcelOf(row.id))?.state).toBe('booked')
  })
})

describe('what does not come', () => {
  it('ends after its time, and the customer hears of it', async () => {
    const row = await approved(await delivered())
    await at.runtime.pool.query(`update returns set due_at = now() - interval '1 minute' where id = $1`, [row.id])
    await returnRound(at.runtime)
    expect((await readReturn(at.runtime.pool, row.id)).state).toBe('expired')
    const notices = await at.runtime.pool.query('select from notices where order_id = $1 and template = $2', [
      row.orderId,
      'returnExpired',
    ])
    expect(notices.rowCount).toBe(1)
    // Late goods are here all the same.
    expect((await receiveReturn(at.runtime, row.id, { location: 'shop', lines: null }, 'clerk')).state).toBe('received')
  })
})

describe('a parcel that came back', () => {
  it('is a return: received, restocked where it was received, and its cash is nobody to be paid back', async () => {
    const id = await at.place({ payment: { method: 'cod', state: 'due', amountDueMinor: 20_000 } })
    const { reference } = await at.booked(id)
    await at.news(reference, 'returning')
    await at.news(reference, 'returned')
    expect(await openKinds(id)).toEqual(['return.receive'])
    const before = await onHand('TEE-S', 'north')
    expect(await at.spine.command(id, 'restocked')).toMatchObject({ state: 'done' })
    expect(await at.spine.command(id, 'restocked')).toMatchObject({ state: 'done' })
    expect(await onHand('TEE-S', 'north')).toBe(before + 2)
    expect(await refundsOf(id)).toEqual([])
    expect(await openKinds(id)).toEqual([])
    expect(await violations()).toEqual([])
  })

  it('of a customer who does so again and again is confirmed by a person', async () => {
    await policy({}, { uncollectedLimit: 1 })
    const buyer = { name: '林測試', phone: '+886922333444', email: null, memberId: 'M-7' }
    const cod = { method: 'cod' as const, state: 'due' as const, amountDueMinor: 20_000 }
    const first = await at.place({ buyer, payment: cod })
    const { reference } = await at.booked(first)
    await at.runtime.pool.query('update parcels set amount_due_minor = 20000, label_amount_minor = 20000 where order_id = $1', [
      first,
    ])
    await at.news(reference, 'returned')
    const second = await at.place({ buyer: { ...buyer, phone: null }, payment: cod })
    await at.spine.steps.check(second)
    await at.spine.steps.reserve(second)
    await at.spine.steps.askConfirmation(second)
    expect(await openKinds(second)).toEqual(['order.uncollected'])
    await at.spine.command(second, 'confirm')
    expect(await openKinds(second)).toEqual([])
    await policy({}, { uncollectedLimit: null })
  })
})
