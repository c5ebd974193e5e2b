/**
 * Reservations a second: 32 callers of one process through the reserver, beside PostgreSQL's own pgbench with 32 clients of a single
 * statement that writes the same rows. Same server, same run, rounds in turn, medians. Where a channel lists an SKU, the ledger also notes
 * that its level has changed; the bare statement does not.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { createPool, type Pool } from '../store/db.ts'
import { createReserver } from '../store/ledger/reserver.ts'
import { migrate } from '../store/migrate.ts'
import { compared, type Measure } from './measure.ts'

const run = promisify(execFile)
const CALLERS = 32
const SPREAD = 1_000

/** One statement: takes a piece, writes the hold and the answer. $1 is the SKU's number. */
const statement = (sku: string) =>
  `
  with taken as (
    update stock set held = held + 1 where sku = 'bench-' || ${sku} and location = 'bench' and on_hand - safety - held >= 1
    returning sku, location, on_hand - safety - held + 1 as available
  ), named as (select gen_random_uuid()::text as key, taken.* from taken),
  written as (
    insert into holds (key, order_id, line_id, sku, location, quantity) select key, 'bench', '1', sku, location, 1 from named
  )
  insert into reservations (key, order_id, answer)
  select key, 'bench', jsonb_build_object('complete', true, 'lines', jsonb_build_array(jsonb_build_object('lineId', '1', 'sku', sku,
    'location', location, 'quantity', 1, 'held', 1, 'available', available))) from named`.replace(/\s+/g, ' ')

export interface LedgerBenchOptions {
  /** A server on which a database may be created; it is removed afterwards. */
  databaseUrl: string
  /** Odd, for the median. @default 3 */
  rounds?: number
  /** Of each of the four measurements in a round. @default 2 */
  seconds?: number
}

export async function ledgerMeasures({ databaseUrl, rounds = 3, seconds = 2 }: LedgerBenchOptions): Promise<Measure[]> {
  const name = `bench_${randomBytes(4).toString('hex')}`
  const admin = new pg.Client({ connectionString: databaseUrl })
  await admin.connect()
  await admin.query(`create database ${name}`)
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  const pool = createPool(url.href, { max: 10 })
  try {
    await migrate(pool)
    await pool.query(`insert into locations (id, name, kind) values ('bench', 'bench', 'warehouse')`)
    await pool.query(
      `insert into stock (sku, location, on_hand) select 'bench-' || i, 'bench', 2000000000 from generate_series(0, $1 - 1) i`,
      [SPREAD],
    )
    await pool.query('analyze')
    const bare = await singleStatement(url.href)
    await pool.query(`insert into connections (name, connector, config) values ('bench', 'bench', '{}')`)
    await pool.query(`insert into listings (connection, listing_id, source) select 'bench', sku, 'file' from stock`)
    const rates = {
      spread: [] as number[],
      listed: [] as number[],
      hot: [] as number[],
      bareSpread: [] as number[],
      bareHot: [] as number[],
    }
    await reserveFor(pool, SPREAD, 0.5) // connections, plans and the compiler are warm before the first round
    for (let round = 0; round < rounds; round++) {
      rates.bareSpread.push(await bare.rate(SPREAD, seconds))
      rates.spread.push(await reserveFor(pool, SPREAD, seconds))
      await pool.query(`insert into listing_parts (connection, listing_id, sku, quantity) select 'bench', sku, sku, 1 from stock`)
      rates.listed.push(await reserveFor(pool, SPREAD, seconds))
      await pool.query('truncate listing_parts, stock_changes')
      await pool.query('update stock set watched = false')
      rates.bareHot.push(await bare.rate(1, seconds))
      rates.hot.push(await reserveFor(pool, 1, seconds))
    }
    const measure = (what: string, ours: number[], theirs: number[], goal: number) =>
      compared(`reservations: ${what}, ${CALLERS} callers; against ${bare.name}`, '1/s', ours, theirs, goal)
    return [
      measure(`${SPREAD} SKUs`, rates.spread, rates.bareSpread, 1),
      measure(`${SPREAD} SKUs, each listed by a channel`, rates.listed, rates.bareSpread, 1),
      measure('one SKU', rates.hot, rates.bareHot, 5),
    ]
  } finally {
    await pool.end()
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  }
}

/** @returns reservations a second, every one of them answered with a hold. */
async function reserveFor(pool: Pool, skus: number, seconds: number): Promise<number> {
  const reserver = createReserver(pool)
  const prefix = randomBytes(6).toString('hex')
  const began = performance.now()
  const until = began + seconds * 1000
  let held = 0
  const caller = async (number: number) => {
    for (let at = 0; performance.now() < until; at++) {
      const answer = await reserver.reserve({
        key: `${prefix}-${number}-${at}`,
        orderId: 'bench',
        mode: 'allOrNothing',
        expiresAt: null,
        lines: [{ lineId: '1', sku: `bench-${Math.floor(Math.random() * skus)}`, location: 'bench', quantity: 1 }],
      })
      if (!answer.complete) throw new Error('the benchmark ran out of stock')
      held++
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)))
  const rate = held / ((performance.now() - began) / 1000)
  await reserver.close()
  return rate
}

interface Bare {
  name: string
  rate(skus: number, seconds: number): Promise<number>
}

async function singleStatement(url: string): Promise<Bare> {
  const present = await run('pgbench', ['--version']).then(
    () => true,
    () => false,
  )
  return present
    ? { name: 'pgbench, single statement', rate: (skus, seconds) => pgbench(url, skus, seconds) }
    : { name: 'pg driver, single statement (no pgbench on PATH)', rate: (skus, seconds) => driverLoop(url, skus, seconds) }
}

async function pgbench(url: string, skus: number, seconds: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'omnisaga-bench-'))
  const { username, password, hostname, port, pathname } = new URL(url)
  try {
    const script = join(folder, 'reserve.sql')
    await writeFile(script, `\\set n random(0, ${skus - 1})\n${statement(':n')};\n`)
    const args = ['-n', '-M', 'prepared', '-c', String(CALLERS), '-j', '4', '-T', String(seconds), '-f', script]
    const server = ['-h', hostname, '-p', port, '-U', username, pathname.slice(1)]
    const { stdout } = await run('pgbench', [...args, ...server], { env: { ...process.env, PGPASSWORD: password } })
    const rate = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1])
    if (!(rate > 0)) throw new Error(`pgbench told no rate: ${stdout}`)
    return rate
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function driverLoop(url: string, skus: number, seconds: number): Promise<number> {
  const clients = await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      return client
    }),
  )
  const began = performance.now()
  let done = 0
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < began + seconds * 1000) {
        await client.query({ name: 'reserve', text: statement('$1::text'), values: [String(Math.floor(Math.random() * skus))] })
        done++
      }
    }),
  )
  const rate = done / ((performance.now() - began) / 1000)
  await Promise.all(clients.map((client) => client.end()))
  return rate
}
