import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyAdvice } from '../../activities/advice.ts'
import { applyParcelReport } from '../../activities/parcelNews.ts'
import { amountDueFor } from '../../activities/order/parcel.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import { addParcel, saveParcel } from '../../store/units.ts'
import { advice, lines, startSpine, type Spine } from './spineFixture.ts'

async function book(spine: Spine, orderId: string, unitId: string): Promise<{ due: number; reference: string }> {
  return (
    await changeOrder(spine.db.pool, orderId, 'saga', async (record, tx) => {
      const due = amountDueFor(record, record.unit(unitId))
      const parcel = await addParcel(tx, record, {
        unitId,
        courier: 'ecpay',
        connector: 'ecpay',
        service: 'TCAT',
        amountDueMinor: due,
      })
      Object.assign(parcel, {
        state: 'booked',
        waybill: `W-${parcel.id}`,
        courierBookingId: `B-${parcel.id}`,
        labelAmountMinor: due,
      })
      await saveParcel(tx, parcel)
      return { due, reference: parcel.reference }
    })
  ).result
}
let reports = 0
const report = (spine: Spine, reference: string, meaning: 'shipped' | 'delivered' | 'returned') =>
  applyParcelReport(
    spine.db.pool,
    (reports += 1),
    {
      reference,
      courierBookingId: null,
      waybill: null,
      code: meaning,
      meaning,
      detail: meaning,
      eventAt: new Date(Date.UTC(2026, 10, 22, 4, 0, reports)).toISOString(),
    },
    1_000,
  )
const onHand = async (spine: Spine, sku: string, location: string) =>
  (await spine.db.pool.query<{ n: number }>('select on_hand as n from stock where sku = $1 and location = $2', [sku, location]))
    .rows[0]?.n

describe('what the warehouse says', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())
  const atWarehouse = async (quantity: number) => {
    const id = await spine.place({ lines: lines(['TEE-S', quantity]) })
    await spine.untilRouted(id)
    await spine.handOver(id)
    return { id, unitId: (await spine.order(id)).units[0]?.id ?? '' }
  }

  it('short only at packing is short: it is neither packed nor shipped, and leaves the stock once', async () => {
    const { id, unitId } = await atWarehouse(3)
    const before = (await onHand(spine, 'TEE-S', 'north')) ?? 0
    await applyAdvice(spine.db.pool, advice(unitId, 'picked', [['1', 3, 0]]))
    await applyAdvice(spine.db.pool, advice(unitId, 'packed', [['1', 2, 1]]))
    const record = await spine.order(id)
    expect(record.lines[0]).toMatchObject({ picked: 2, packed: 2, held: 2 })
    expect(record.missingOf(record.lines[0]!)).toBe(1)
    expect(await onHand(spine, 'TEE-S', 'north')).toBe(before - 1)
  })

  it('short twice, of ever more pieces, leaves the stock each time', async () => {
    const { id, unitId } = await atWarehouse(3)
    const before = (await onHand(spine, 'TEE-S', 'north')) ?? 0
    await applyAdvice(spine.db.pool, advice(unitId, 'picked', [['1', 2, 1]]))
    await applyAdvice(spine.db.pool, advice(unitId, 'packed', [['1', 1, 2]]))
    expect(await onHand(spine, 'TEE-S', 'north')).toBe(before - 2)
    expect(await spine.held(id)).toBe(1)
    expect((await spine.order(id)).lines[0]).toMatchObject({ picked: 1, packed: 1, held: 1 })
  })

  it('packed without its lines, of a unit being recalled, does not bring back what was short', async () => {
    const { id, unitId } = await atWarehouse(2)
    await spine.command(id, 'cancel')
    await spine.steps.recall(id)
    await applyAdvice(spine.db.pool, advice(unitId, 'picked', [['1', 1, 1]]))
    await applyAdvice(spine.db.pool, advice(unitId, 'packed'))
    expect((await spine.order(id)).lines[0]).toMatchObject({ picked: 1, packed: 1 })
  })

  it('cancelled, of a unit that it had picked, takes the pieces out of what is picked', async () => {
    const { id, unitId } = await atWarehouse(2)
    await applyAdvice(spine.db.pool, advice(unitId, 'picked', [['1', 2, 0]]))
    await applyAdvice(spine.db.pool, advice(unitId, 'cancelled'))
    expect((await spine.order(id)).lines[0]).toMatchObject({ picked: 0 })
  })

  it('whatever it says, closes the task that it said nothing', async () => {
    const { id, unitId } = await atWarehouse(1)
    await openTask(spine.db.pool, {
      kind: 'unit.silent',
      key: `unit:${unitId}:silent`,
      orderId: id,
      subject: id,
      title: 't',
      detail: 'd',
      remedy: 'r',
      actions: ['skip'],
    })
    await applyAdvice(spine.db.pool, advice(unitId, 'picked', [['1', 0, 1]]))
    expect((await spine.order(id)).units[0]?.state).toBe('cancelled')
    expect((await spine.tasks(id)).filter(({ kind }) => kind === 'unit.silent')).toEqual([])
  })
})

describe('cash on delivery', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())
  const packedIn = async (
    what: Parameters<typeof lines>,
    amountDueMinor: number,
    short: [lineId: string, picked: number, short: number][] = [],
  ) => {
    const id = await spine.place({ lines: lines(...what), payment: { method: 'cod', state: 'pending', amountDueMinor } })
    await spine.untilRouted(id)
    await spine.handOver(id)
    for (const unit of (await spine.order(id)).units) {
      await changeOrder(spine.db.pool, id, 'world', (record) => {
        record.unit(unit.id).state = 'handedOver'
      })
      await applyAdvice(spine.db.pool, advice(unit.id, 'packed', short))
    }
    return { id, units: (await spine.order(id)).units.map((unit) => unit.id) }
  }

  it('of two parcels: the first being paid at the door leaves the second to be paid', async () => {
    const { id, units } = await packedIn(
      [
        ['TEE-S', 1],
        ['CAP', 1],
      ],
      28_000,
    )
    const first = await book(spine, id, units[0] ?? '')
    await report(spine, first.reference, 'delivered')
    expect((await spine.order(id)).doc.payment.state).toBe('pending')
    const second = await book(spine, id, units[1] ?? '')
    expect(first.due + second.due).toBe(28_000)
    await report(spine, second.reference, 'delivered')
    expect(await spine.order(id)).toMatchObject({ phase: 'delivered', doc: { payment: { state: 'collected' } } })
  })

  it('collects the shipping fee also when a part is struck off after the first label', async () => {
    const { id, units } = await packedIn([['TEE-S', 2]], 28_000, [['1', 1, 1]])
    const { due } = await book(spine, id, units[0] ?? '')
    await spine.command(id, 'shipWithout')
    expect((await spine.order(id)).doc.payment.amountDueMinor).toBe(18_000)
    expect(due).toBe(18_000)
  })

  it('of a parcel that came back is not collected with the next one', async () => {
    const { id, units } = await packedIn(
      [
        ['TEE-S', 1],
        ['CAP', 1],
      ],
      20_000,
    )
    const first = await book(spine, id, units[0] ?? '')
    await report(spine, first.reference, 'returned')
    expect((await book(spine, id, units[1] ?? '')).due).toBe(10_000)
  })

  it('a parcel of a unit that was taken back, yet is on its way, becomes a task', async () => {
    const { id, units } = await packedIn([['TEE-S', 1]], 10_000)
    const parcel = await book(spine, id, units[0] ?? '')
    await spine.command(id, 'cancel')
    await spine.steps.recall(id)
    await applyAdvice(spine.db.pool, advice(units[0] ?? '', 'cancelled'))
    await report(spine, parcel.reference, 'shipped')
    expect((await spine.tasks(id)).map(({ kind }) => kind)).toContain('parcel.shipped')
  })
})

describe('pieces that were not found', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())

  /** TEE-M lies in the north and in the south; the north's picker does not find one of two. */
  const shortInTheNorth = async () => {
    const id = await spine.place({ lines: lines(['TEE-M', 2]) })
    await spine.untilRouted(id)
    await spine.handOver(id)
    const [unit] = (await spine.order(id)).units
    expect(unit?.location).toBe('north')
    await applyAdvice(spine.db.pool, advice(unit?.id ?? '', 'picked', [['1', 1, 1]]))
    return id
  }
  const secondUnit = async (id: string) => (await spine.order(id)).units[1]?.location

  it('are not asked for again where they were just not found, though the ledger knows more there', async () => {
    const id = await shortInTheNorth()
    await spine.steps.reRoute(id)
    expect(await secondUnit(id)).toBe('south')
  })

  it('are asked for there again once somebody has counted more, or says retry', async () => {
    // What is left in the south belongs to the order before.
    await transaction(spine.db.pool, (tx) =>
      setOnHand(tx, { key: 'empty-south', sku: 'TEE-M', location: 'south', onHand: 1, reason: 'count' }),
    )
    const counted = await shortInTheNorth()
    await spine.steps.reRoute(counted)
    expect(await secondUnit(counted)).toBeUndefined()
    expect((await spine.tasks(counted)).map(({ kind }) => kind)).toEqual(['pick.short'])
    await transaction(spine.db.pool, (tx) =>
      setOnHand(tx, { key: 'more-north', sku: 'TEE-M', location: 'north', onHand: 80, reason: 'count' }),
    )
    await spine.command(counted, 'retry')
    await spine.steps.reRoute(counted)
    expect(await secondUnit(counted)).toBe('north')
    expect(await spine.tasks(counted)).toEqual([])
  })
})
