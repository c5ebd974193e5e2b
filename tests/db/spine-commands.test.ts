import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changeOrder } from '../../store/orderRecord.ts'
import { addParcel } from '../../store/units.ts'
import { lines, startSpine, type Spine } from './spineFixture.ts'

describe('a command', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())

  it('that names a unit which does not exist is refused and holds up nothing after it', async () => {
    const id = await spine.place()
    await spine.untilRouted(id)
    expect(await spine.command(id, 'packed', { unitId: 'nobody' })).toMatchObject({ state: 'refused' })
    expect(await spine.command(id, 'cancel')).toMatchObject({ state: 'done' })
  })

  it('whose data the tables refuse is refused and holds up nothing after it', async () => {
    const id = await spine.place()
    const [only] = lines(['TEE-S', 1])
    expect(await spine.command(id, 'change', { lines: [{ ...only, quantity: 3_000_000_000 }] })).toMatchObject({
      state: 'refused',
    })
    expect(await spine.command(id, 'cancel')).toMatchObject({ state: 'done' })
  })

  it('that is refused half way leaves nothing of itself behind', async () => {
    const id = await spine.place()
    expect(await spine.command(id, 'change', { skus: { 1: 'TEE-M', 99: 'CAP' } })).toMatchObject({ state: 'refused' })
    expect((await spine.order(id)).lines[0]?.sku).toBe('TEE-S')
    expect((await spine.db.pool.query('select * from sku_aliases')).rows).toEqual([])
    expect((await spine.order(id)).course).toBe(0)
  })

  it('that leaves pieces with the shop lowers what is due for good: the channel, saying its old amount again, raises nothing', async () => {
    const wish = { externalId: 'LOWERED', kind: 'tryOn' as const, lines: lines(['TEE-S', 1, 20_000], ['TEE-M', 1, 16_000]) }
    const cod = { method: 'cod' as const, state: 'due' as const, amountDueMinor: 36_000 }
    const at = { method: 'storePickup' as const, location: 'shop' }
    const id = await spine.place({ ...wish, payment: cod, delivery: at })
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    await spine.steps.holdForTryOn(id)
    expect(await spine.command(id, 'arrived')).toMatchObject({ state: 'done' })
    expect(await spine.command(id, 'decide', { keep: { 1: 1 } })).toMatchObject({ state: 'done' })
    expect((await spine.order(id)).doc.payment.amountDueMinor).toBe(20_000)
    await spine.place({ ...wish, payment: cod, delivery: at, notes: 'told again' })
    expect((await spine.order(id)).doc.payment.amountDueMinor).toBe(20_000)
    // A new word of the channel's is believed.
    await spine.place({ ...wish, payment: { ...cod, amountDueMinor: 18_000 }, delivery: at, notes: 'told again' })
    const { rows } = await spine.db.pool.query<{ due: number }>(
      `select (doc->'payment'->>'amountDueMinor')::int as due from orders where id = $1`,
      [id],
    )
    expect(rows[0]?.due).toBe(18_000)
    expect(JSON.stringify((await spine.order(id)).doc)).not.toContain('toldAmounts')
  })

  it('packed out of a task packs the unit of that task, and not the first that waits', async () => {
    const id = await spine.place({ lines: lines(['TEE-S', 1], ['CAP', 1]) })
    await spine.untilRouted(id)
    const [task] = (await spine.tasks(id)).filter(({ kind }) => kind === 'unit.pick')
    expect((await spine.order(id)).unit(task?.value ?? '').location).toBe('south')
    await spine.command(id, 'packed', {}, { taskId: task?.id as number })
    expect((await spine.order(id)).units.map(({ location, state }) => `${location} ${state}`)).toEqual([
      'north ready',
      'south packed',
    ])
    expect(await spine.tasks(id)).toEqual([])
  })

  it('paid is not taken back by a channel that repeats its order and still waits for the money', async () => {
    const wish = {
      externalId: 'R-paid-here',
      payment: { method: 'cod' as const, state: 'pending' as const, amountDueMinor: 20_000 },
    }
    const id = await spine.place(wish)
    expect(await spine.command(id, 'paid')).toMatchObject({ state: 'done' })
    await spine.place({ ...wish, notes: 'ring twice', payment: { ...wish.payment, amountDueMinor: 21_000 } })
    expect((await spine.order(id)).doc.payment).toMatchObject({ method: 'prepaid', state: 'paid', amountDueMinor: 0 })
  })

  it('paid is refused once a label collects the cash', async () => {
    const id = await spine.place({ payment: { method: 'cod', state: 'pending', amountDueMinor: 20_000 } })
    await spine.untilRouted(id)
    await spine.command(id, 'packed')
    await changeOrder(spine.runtime.pool, id, 'saga', async (record, tx) => {
      await addParcel(tx, record, {
        unitId: record.units[0]?.id ?? '',
        courier: 'ecpay',
        connector: 'ecpay',
        service: 'TCAT',
        amountDueMinor: 20_000,
      })
    })
    expect(await spine.command(id, 'paid')).toMatchObject({ state: 'refused' })
    expect((await spine.order(id)).doc.payment).toMatchObject({ method: 'cod', amountDueMinor: 20_000 })
  })

  it('change of the goods takes back what was asked of people and what the old goods made true', async () => {
    const id = await spine.place({ lines: lines(['CAP', 1]) })
    await spine.untilRouted(id)
    expect((await spine.tasks(id)).map(({ kind }) => kind)).toEqual(['unit.pick'])
    await spine.command(id, 'change', { lines: lines(['TEE-S', 1]) })
    expect(await spine.tasks(id)).toEqual([])
    expect(await spine.held(id)).toBe(0)
    expect((await spine.order(id)).phase).toBe('received')
  })
})
