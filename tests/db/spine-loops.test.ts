import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeWaves } from '../../activities/waves.ts'
import { readFeeds } from '../../activities/feeds.ts'
import { lines, startSpine, type Spine } from './spineFixture.ts'

describe('the loops', () => {
  let spine: Spine
  beforeAll(async () => {
    spine = await startSpine()
  })
  afterAll(() => spine?.stop())

  it('one warehouse that is stopped holds up no wave and no answers of the others', async () => {
    const { pool } = spine.db
    await pool.query(`update locations set warehouse_connection = 'warehouse-south' where id = 'south'`)
    const held = await spine.place({ lines: lines(['TEE-S', 1]) })
    const free = await spine.place({ lines: lines(['CAP', 1]) })
    for (const id of [held, free]) await spine.untilRouted(id)
    await pool.query(`insert into waves (id, location, connection) values ('w-left-open', 'north', 'warehouse')`)
    await pool.query(`update units set state = 'handedOver', wave_id = 'w-left-open' where order_id = $1`, [held])
    await pool.query(`insert into connection_state (connection, stopped_reason) values ('warehouse', 'its folder is gone')
      on conflict (connection) do update set stopped_reason = excluded.stopped_reason`)
    await expect(makeWaves(spine.runtime)).rejects.toThrow('warehouse')
    expect((await spine.order(free)).units[0]?.state).toBe('handedOver')
    const waves = await pool.query(`select connection, state from waves order by connection`)
    expect(waves.rows).toEqual([
      { connection: 'warehouse', state: 'open' },
      { connection: 'warehouse-south', state: 'written' },
    ])
    expect(await readFeeds(spine.runtime)).toBe(0)
  })
})
