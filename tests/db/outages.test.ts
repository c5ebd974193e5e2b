import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ring, start } from '../../activities/engine.ts'
import { startLoops } from '../../activities/loops.ts'
import { eachLane } from '../../activities/intake.ts'
import { makeWaves } from '../../activities/waves.ts'
import { freePort } from '../../cli/embedded/processes.ts'
import { createRuntime, type Runtime } from '../../runtime.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

let db: FreshDatabase
let runtime: Runtime

beforeAll(async () => {
  db = await freshDatabase()
  const address = `127.0.0.1:${await freePort()}` // where nobody listens
  runtime = await createRuntime(
    {
      databaseUrl: db.url,
      temporal: { connection: { address }, namespace: 'default' },
      secretKey: secretKeyFrom('a passphrase for tests'),
    },
    { logLevel: 'silent' },
  )
})
afterAll(async () => {
  await runtime.close()
  await db.drop()
})

async function until(what: string, reached: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!(await reached())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    }) // between two looks at the condition
  }
}

async function insertOrder(id: string): Promise<void> {
  await db.pool.query(
    `insert into orders (id, channel, shop, external_id, content_hash, connection, connection_version, settings_version, kind, doc, facts, phase)
     values ($1, 'store', 's', $1, 'h', 'store', 1, 1, 'store', '{"kind": "store", "delivery": {"method": "home"}, "payment": {"method": "prepaid"}}',
       '{"checked": {}, "reserved": {}, "confirmed": {}, "routed": {}}', 'confirmed')`,
    [id],
  )
}

describe('the database breaks', () => {
  it('a connection that breaks while it is lent out does not end the process, and the pool goes on', async () => {
    const client = await runtime.pool.connect()
    const pid = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid
    const ended = new Promise((resolve) => client.once('end', resolve))
    await db.pool.query('select pg_terminate_backend($1)', [pid])
    await ended
    await expect(client.query('select 1')).rejects.toThrow(/Connection|not queryable|terminat/)
    client.release(true)
    expect((await runtime.pool.query<{ n: number }>('select 1 as n')).rows).toEqual([{ n: 1 }])
  })

  it('there is one listener for new records, however often its connection broke', async () => {
    const times = {
      inboxMs: 60_000,
      outboxMs: 60_000,
      wavesMs: 60_000,
      feedsMs: 60_000,
      sweepMs: 60_000,
      missingMs: 60_000,
      trackMs: 60_000,
    }
    const loops = startLoops(runtime, times)
    const listeners = async (): Promise<number[]> =>
      (
        await db.pool.query<{ pid: number }>(
          `select pid from pg_stat_activity where datname = current_database() and application_name = 'omnisaga-listener' and query like 'listen%'`,
        )
      ).rows.map((row) => row.pid)
    try {
      for (let time = 0; time < 3; time++) {
        await until('somebody listens', async () => (await listeners()).length > 0)
        const before = await listeners()
        expect(before).toHaveLength(1)
        await db.pool.query('select pg_terminate_backend($1)', [before[0]])
        await until('the broken one is gone', async () => !(await listeners()).includes(before[0] ?? 0))
      }
    } finally {
      await loops.stop()
    }
    expect(await listeners()).toEqual([])
  })

  it('a round that fails has nothing under way when it says so', async () => {
    const release: (() => void)[] = []
    let told = false
    const round = eachLane(
      [1, 2, 3],
      String,
      async (item) => {
        if (item === 1) throw new Error('the database is gone')
        await new Promise<void>((resolve) => release.push(resolve))
      },
      2,
    ).finally(() => {
      told = true
    })
    const heard = round.then(
      () => 'nothing',
      (error: Error) => error.message,
    )
    await until('the second is under way', () => Promise.resolve(release.length === 1))
    expect(told).toBe(false)
    release[0]?.()
    expect(await heard).toBe('the database is gone')
    expect(release).toHaveLength(1) // the third was not begun
  })

  it('a wave that another worker has written takes no unit in any more', async () => {
    await db.pool.query(`insert into connections (name, connector, config) values ('wms', 'wms-dropfolder', '{}')`)
    await db.pool.query(`insert into locations (id, name, kind, warehouse_connection) values ('north', 'N', 'warehouse', 'wms')`)
    await insertOrder('o-wave')
    await db.pool.query(
      `insert into units (id, order_id, serial, location, state) values ('o-wave-u1', 'o-wave', 1, 'north', 'ready')`,
    )
    await db.pool.query(
      `create function written_at_once() returns trigger language plpgsql as $$ begin new.state := 'written'; return new; end $$;
       create trigger written_at_once before insert on waves for each row execute function written_at_once()`,
    )
    expect(await makeWaves(runtime)).toBe(0)
    expect((await db.pool.query('select state, wave_id from units')).rows).toEqual([{ state: 'ready', wave_id: null }])
  })
})

describe('the engine is away', () => {
  it('a ring that nobody heard is forgotten, so that the next one need not wait', async () => {
    await insertOrder('o-ring')
    await expect(ring(runtime, 'o-ring')).rejects.toThrow(/./)
    expect((await db.pool.query(`select rung_at from orders where id = 'o-ring'`)).rows).toEqual([{ rung_at: null }])
  })

  it('after one call that was not answered the next ones do not wait', async () => {
    await expect(start(runtime, 'o-ring')).rejects.toThrow(/away a moment ago/)
  })
})
