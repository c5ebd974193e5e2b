import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPool, transaction, type Pool } from '../../store/db.ts'
import { createReserver } from '../../store/ledger/reserver.ts'
import { keepAside, levels, move, release, setSafety, sweep } from '../../store/ledger/operations.ts'
import type { Reserver } from '../../store/ledger/types.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'
import { addLocations, insist, ledgerFaults, line, nextKey, request, stockUp } from './ledgerFixture.ts'

let db: FreshDatabase
let otherPool: Pool
let reserver: Reserver
let other: Reserver
beforeAll(async () => {
  db = await freshDatabase({ max: 40 })
  otherPool = createPool(db.url, { max: 10 })
  await addLocations(db.pool)
  reserver = createReserver(db.pool)
  other = createReserver(otherPool, { maxBatch: 5, lanes: 4 })
})
afterAll(async () => {
  await reserver.close()
  await other.close()
  await otherPool.end()
  await db.drop()
})

const levelOf = async (sku: string, location = 'W1') => (await levels(db.pool, { sku, location }))[0]
const past = () => new Date(Date.now() - 60_000)

test('what is there is held, and the answer says what was available before', async () => {
  await stockUp(db.pool, 'plain', 5)
  expect(await reserver.reserve(request([line('plain', 3)]))).toEqual({
    complete: true,
    lines: [{ ...line('plain', 3), held: 3, available: 5 }],
  })
  expect(await levelOf('plain')).toEqual({ sku: 'plain', location: 'W1', onHand: 5, safety: 0, held: 3, available: 2 })
})

test('all or nothing holds nothing when one line is short', async () => {
  await stockUp(db.pool, 'aon', 5)
  const answer = await reserver.reserve(request([line('aon', 2), line('aon-unknown', 1, '2')]))
  expect(answer.complete).toBe(false)
  expect(answer.lines.map((l) => [l.held, l.available])).toEqual([
    [0, 5],
    [0, 0],
  ])
  expect((await levelOf('aon'))?.held).toBe(0)
})

test('as much as there is holds what is left, the first line first', async () => {
  await stockUp(db.pool, 'much', 5)
  const answer = await reserver.reserve(
    request([line('much', 3, 'a'), line('much', 4, 'b'), line('much', 1, 'c')], { mode: 'asMuchAsThereIs' }),
  )
  expect(answer).toMatchObject({
    complete: false,
    lines: [
      { held: 3, available: 5 },
      { held: 2, available: 5 },
      { held: 0, available: 5 },
    ],
  })
})

test('two lines of one order that share a SKU are judged by their sum', async () => {
  await stockUp(db.pool, 'shared', 5)
  expect((await reserver.reserve(request([line('shared', 3, 'a'), line('shared', 3, 'b')]))).complete).toBe(false)
  expect((await reserver.reserve(request([line('shared', 3, 'a'), line('shared', 2, 'b')]))).complete).toBe(true)
  expect((await levelOf('shared'))?.available).toBe(0)
})

test('in a batch that all fits, each answer tells what was there before its own request', async () => {
  await stockUp(db.pool, 'tell', 10)
  const [first, second, third] = await Promise.all([
    reserver.reserve(request([line('tell', 1, 'a'), line('tell', 2, 'b')])),
    reserver.reserve(request([line('tell', 3)])),
    reserver.reserve(request([line('tell', 4)])),
  ])
  expect([first, second, third].map((answer) => answer?.lines.map((l) => [l.held, l.available]))).toEqual([
    [
      [1, 10],
      [2, 10],
    ],
    [[3, 7]],
    [[4, 4]],
  ])
})

test('an answer asked for again is the one that was given, whichever way it was found', async () => {
  await stockUp(db.pool, 'again', 10)
  const asked = request([line('again', 2, '2'), line('again', 3, '1')])
  const given = await reserver.reserve(asked)
  expect(given.lines.map((l) => l.lineId)).toEqual(['2', '1'])
  expect(await other.reserve(asked)).toEqual(given)
})

test('within one batch, first come is first served', async () => {
  await stockUp(db.pool, 'fifo', 3)
  const answers = await Promise.all([2, 2, 1, 1].map((quantity) => reserver.reserve(request([line('fifo', quantity)]))))
  expect(answers.map((answer) => answer.complete)).toEqual([true, false, true, false])
})

test('safety stock is not given away, and more safety than stock is none available', async () => {
  await stockUp(db.pool, 'safe', 5)
  await transaction(db.pool, (tx) => setSafety(tx, { sku: 'safe', location: 'W1', safety: 4 }))
  expect((await reserver.reserve(request([line('safe', 2)]))).complete).toBe(false)
  expect((await reserver.reserve(request([line('safe', 1)]))).complete).toBe(true)
  await transaction(db.pool, (tx) => setSafety(tx, { sku: 'safe', location: 'W1', safety: 9 }))
  expect((await levelOf('safe'))?.available).toBe(0)
  expect((await reserver.reserve(request([line('safe', 1)]))).lines[0]?.available).toBe(0)
})

test('32 connections on the last units of one SKU sell exactly those, from two processes', async () => {
  await stockUp(db.pool, 'last', 100)
  const reservers = Array.from({ length: 16 }, () => createReserver(db.pool, { lanes: 2, maxBatch: 3 }))
  const answers = await Promise.all(
    Array.from({ length: 320 }, (_, index) =>
      insist(index % 2 === 0 ? other : (reservers[index % 16] as Reserver), request([line('last', 1)])),
    ),
  )
  expect(answers.filter((answer) => answer.complete)).toHaveLength(100)
  expect(await levelOf('last')).toMatchObject({ onHand: 100, held: 100, available: 0 })
  await Promise.all(reservers.map((each) => each.close()))
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('orders that ask for several SKUs in opposite orders are all answered, none oversold', async () => {
  const skus = ['opp1', 'opp2', 'opp3']
  for (const sku of skus) await stockUp(db.pool, sku, 50)
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => {
      const ordered = index % 2 === 0 ? skus : [...skus].reverse()
      return insist(index % 3 === 0 ? other : reserver, request(ordered.map((sku, at) => line(sku, 1, String(at)))))
    }),
  )
  expect(answers.filter((answer) => answer.complete)).toHaveLength(50)
  for (const sku of skus) expect((await levelOf(sku))?.available).toBe(0)
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('the same key asked at once in two processes holds once, and everyone gets the one answer', async () => {
  await stockUp(db.pool, 'idem', 100)
  const same = request([line('idem', 2)])
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? other : reserver).reserve(same)))
  expect(new Set(answers.map((answer) => JSON.stringify(answer.lines[0]?.held)))).toEqual(new Set(['2']))
  expect((await levelOf('idem'))?.held).toBe(2)
})

test('the same key for a SKU without a stock row, in two processes, is answered and not an error', async () => {
  const requests = Array.from({ length: 30 }, () => request([line('nowhere', 1)]))
  const answers = await Promise.all(requests.flatMap((each) => [reserver.reserve(each), other.reserve(each)]))
  expect(answers.every((answer) => !answer.complete && answer.lines[0]?.available === 0)).toBe(true)
})

test('a key answered no stays no, even when goods arrive', async () => {
  const refused = request([line('later', 1)])
  expect((await reserver.reserve(refused)).complete).toBe(false)
  await stockUp(db.pool, 'later', 10)
  expect((await reserver.reserve(refused)).complete).toBe(false)
})

test('a hold past its expiry counts no longer, though no sweeper ran', async () => {
  await stockUp(db.pool, 'late', 2)
  await reserver.reserve(request([line('late', 2)], { expiresAt: past() }))
  expect(await levelOf('late')).toMatchObject({ held: 0, available: 2 })
  expect((await reserver.reserve(request([line('late', 2)]))).complete).toBe(true)
  expect(await levelOf('late')).toMatchObject({ held: 2, available: 0 })
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('goods kept aside do not expire, and an expired hold is not kept aside', async () => {
  await stockUp(db.pool, 'aside', 4)
  const soon = request([line('aside', 1)], { expiresAt: new Date(Date.now() + 600_000) })
  const gone = request([line('aside', 1)], { expiresAt: past() })
  await reserver.reserve(soon)
  await reserver.reserve(gone)
  for (const { orderId } of [soon, gone]) await transaction(db.pool, (tx) => keepAside(tx, { orderId }))
  expect(await levelOf('aside')).toMatchObject({ held: 1, available: 3 })
  const { rows } = await db.pool.query('select kept_aside, expires_at from holds where order_id = $1', [soon.orderId])
  expect(rows).toEqual([{ kept_aside: true, expires_at: null }])
})

test('the sweeper ends what expired, at most as many as asked, and changes no level', async () => {
  await stockUp(db.pool, 'sweep', 10)
  for (let at = 0; at < 5; at++)
    await reserver.reserve(request([line('sweep', 1)], { expiresAt: new Date(Date.now() + 600_000) }))
  await sweep(db.pool)
  await db.pool.query(`update holds set expires_at = now() - interval '1 second' where sku = 'sweep'`)
  const before = await levelOf('sweep')
  expect(await sweep(db.pool, 3)).toBe(3)
  expect(await levelOf('sweep')).toEqual(before)
  expect(await sweep(db.pool, 100)).toBe(2)
  expect(await sweep(db.pool)).toBe(0)
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('a request the database cannot hold fails alone', async () => {
  await stockUp(db.pool, 'good', 10)
  const results = await Promise.allSettled([
    reserver.reserve(request([line('good', 1)])),
    reserver.reserve(request([line('good', 1, 'half a character \ud800')])),
    reserver.reserve(request([line('good', 1)])),
  ])
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect((results[1] as PromiseRejectedResult).reason).toMatchObject({ kind: 'Invalid' })
  expect((await levelOf('good'))?.held).toBe(2)
})

test.each([
  ['a quantity of zero', [line('x', 0)]],
  ['a fraction', [line('x', 1.5)]],
  ['more than a quantity can be', [line('x', 2 ** 31)]],
  ['a NUL character', [line('x\u0000', 1)]],
  ['one line and location twice', [line('x', 1), line('x', 2)]],
])('%s is refused before it reaches the database', async (_, lines) => {
  await expect(reserver.reserve(request(lines))).rejects.toMatchObject({ kind: 'Invalid' })
})

test('a row locked for long delays its own requests only, which are told to try again', async () => {
  await stockUp(db.pool, 'stuck', 10)
  await stockUp(db.pool, 'lively', 10)
  const blocker = await db.pool.connect()
  await blocker.query(`begin; select 1 from stock where sku = 'stuck' for update`)
  const results = await Promise.allSettled([
    reserver.reserve(request([line('stuck', 1)])),
    reserver.reserve(request([line('lively', 1)])),
  ])
  await blocker.query('rollback')
  blocker.release()
  expect(results[0]).toMatchObject({ status: 'rejected', reason: { kind: 'Transient' } })
  expect(results[1]).toMatchObject({ status: 'fulfilled', value: { complete: true } })
})

test('reservations, releases and goods going out at once leave the ledger whole', async () => {
  const skus = ['mix1', 'mix2', 'mix3', 'mix4']
  for (const sku of skus) await stockUp(db.pool, sku, 40)
  const outcomes = await Promise.allSettled(
    Array.from({ length: 150 }, async (_, index) => {
      const [a, b] = [skus[index % 4] as string, skus[(index * 3 + 1) % 4] as string]
      const asked = request([line(a, 1, '1'), line(b, 2, '2')], {
        mode: 'asMuchAsThereIs',
        expiresAt: index % 5 === 0 ? past() : null,
      })
      await (index % 2 === 0 ? reserver : other).reserve(asked)
      if (index % 3 === 0) await transaction(db.pool, (tx) => release(tx, { orderId: asked.orderId }))
      if (index % 7 === 0)
        await transaction(otherPool, (tx) =>
          move(tx, { key: nextKey(), sku: b, location: 'W1', quantity: 1, reason: 'received' }),
        )
    }),
  )
  expect(outcomes.filter((outcome) => outcome.status === 'rejected')).toEqual([])
  expect(await ledgerFaults(db.pool)).toEqual([])
})

test('close answers what is under way, then refuses', async () => {
  await stockUp(db.pool, 'closing', 10)
  const closing = createReserver(db.pool)
  const pending = Array.from({ length: 10 }, () => closing.reserve(request([line('closing', 1)])))
  await closing.close()
  expect((await Promise.all(pending)).every((answer) => answer.complete)).toBe(true)
  await expect(closing.reserve(request([line('closing', 1)]))).rejects.toThrow('closed')
})
