import { afterAll, beforeAll, expect, it } from 'vitest'
import { mapInbox } from '../../activities/intake.ts'
import { storeRaw } from '../../store/inbox.ts'
import { listTasks } from '../../store/tasks.ts'
import { startFixture, type Fixture } from './serverFixture.ts'

let fixture: Fixture
beforeAll(async () => {
  fixture = await startFixture()
})
afterAll(() => fixture?.stop())

it('a record that the database refuses again and again becomes a task at last, and holds up nothing behind it', async () => {
  const { pool } = fixture.runtime
  // A stand-in for any defect that only this record meets.
  await pool.query(`create function refuse_poison() returns trigger language plpgsql as $$
    begin if new.external_id = 'POISON' then raise exception 'refused for 0912345678'; end if; return new; end $$`)
  await pool.query('create trigger refuse_poison before insert on orders for each row execute function refuse_poison()')
  const order = (externalId: string) => ({
    kind: 'order',
    externalId,
    version: '1',
    eventAt: null,
    payload: {
      externalVersion: null,
      placedAt: null,
      kind: 'store',
      buyer: { name: null, phone: null, email: null, memberId: null },
      recipient: { name: '陳測試', phone: '+886912345678', address: null },
      delivery: { method: 'home', service: null, cvs: null, location: null, promisedBy: null },
      payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
      lines: [
        { lineId: '1', sku: 'CAP', externalSku: null, name: null, variant: null, quantity: 1, unitPriceMinor: null, gift: false },
      ],
      totals: { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: null },
      notes: null,
      priority: 0,
    },
  })
  await storeRaw(pool, 'store-taipei', [order('POISON'), order('GOOD')])
  await mapInbox(fixture.runtime)
  const states = async () =>
    (await pool.query<{ external_id: string; state: string }>('select external_id, state from inbox order by id')).rows.map(
      (row) => `${row.external_id} ${row.state}`,
    )
  expect(await states()).toEqual(['POISON new', 'GOOD mapped'])
  expect(await listTasks(pool)).toEqual([])

  await pool.query('update inbox set attempts = 14, lease_until = null')
  await mapInbox(fixture.runtime)
  expect(await states()).toEqual(['POISON failed', 'GOOD mapped'])
  const tasks = await listTasks(pool)
  expect(tasks).toMatchObject([{ kind: 'inbox.unmappable', subject: 'POISON', state: 'open' }])
  expect(JSON.stringify(tasks)).not.toContain('0912345678')
})
