/** Packing by scanner on a real database: what is scanned is what is packed, whatever is scanned twice, wrongly or by two at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeWaves, makeWavesNow } from '../../activities/waves.ts'
import { scan as scanAt, type ScanAnswer } from '../../activities/packing/scan.ts'
import { stationView } from '../../activities/packing/station.ts'
import { deliveryNoteOf, itemLabelsOf, pickListOf } from '../../activities/packing/papers.ts'
import { connectors } from '../../connectors/registry.ts'
import { applyConnections } from '../../store/configuration.ts'
import { audit } from '../../store/audit.ts'
import { listWaves } from '../../store/waves.ts'
import { lines, startSpine, type Change, type Spine } from './spineFixture.ts'

let spine: Spine
beforeAll(async () => {
  spine = await startSpine()
  await applyConnections(
    spine.runtime.pool,
    spine.runtime.secretKey,
    {
      locations: [
        {
          id: 'south',
          name: '南倉',
          kind: 'warehouse',
          priority: -1,
          courierHome: 'ecpay',
          courierCvs: 'ecpay',
          packing: { waveSize: 2, splitBy: ['priority'] },
        },
      ],
      products: [
        {
          sku: 'CAP',
          name: '帽子',
          barcode: '4711111111111',
          sizeMm: [200, 150, 100],
          weightGrams: 200,
          shelves: { south: 'A-10' },
        },
        {
          sku: 'TEE-M',
          name: '上衣',
          barcode: '4712222222222',
          fragile: true,
          shelves: { south: 'A-2', nowhere: 'X' },
          itemLabel: '產地 台灣',
        },
      ],
      boxes: [
        { id: 'S', name: '小箱', innerMm: [250, 200, 150] },
        { id: 'F', name: '緩衝箱', innerMm: [300, 300, 300], fragile: true },
      ],
    },
    connectors,
  )
})
afterAll(() => spine?.stop())

/** An order at the south warehouse, in a wave of its own. */
async function inWave(change: Change = {}) {
  const orderId = await spine.place({ lines: lines(['CAP', 2], ['TEE-M', 1]), ...change })
  await spine.untilRouted(orderId)
  const waves = await makeWavesNow(spine.runtime, 'south')
  const record = await spine.order(orderId)
  return { orderId, unitId: record.units[0]?.id ?? '', number: record.doc.externalId, waves }
}
const scan = (station: string, code: string, more: Record<string, unknown> = {}): Promise<ScanAnswer> =>
  scanAt(spine.runtime, { station, code, who: 'test', ...more })
const scans = async (station: string, ...codes: string[]) => {
  let last: ScanAnswer | undefined
  for (const code of codes) last = await scan(station, code)
  if (last === undefined) throw new Error('no code')
  return last
}
const onHand = async (sku: string) =>
  (await spine.db.pool.query<{ n: number }>(`select on_hand as n from stock where sku = $1 and location = 'south'`, [sku]))
    .rows[0]?.n ?? 0
const unitOf = async (orderId: string, index = 0) => (await spine.order(orderId)).units[index]
const clean = async () => expect((await audit(spine.db.pool)).violations).toEqual([])

describe('waves of our own', () => {
  it('are made without a warehouse system, no larger than configured, the urgent by themselves', async () => {
    for (const priority of [0, 0, 0, 20]) {
      const id = await spine.place({ lines: lines(['CAP', 1]), priority })
      await spine.untilRouted(id)
      expect(await spine.tasks(id)).toEqual([])
    }
    await makeWaves(spine.runtime)
    const waves = await listWaves(spine.db.pool, { location: 'south', limit: 10 })
    expect(waves.map(({ units }) => units).sort((a, b) => a - b)).toEqual([1, 1, 2])
    expect(waves.find(({ sortedBy }) => sortedBy.priority === '20')).toMatchObject({
      units: 1,
      connection: null,
      state: 'written',
    })
    const pdf = await pickListOf(spine.db.pool, waves[0]?.id ?? '', new Date())
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
  })
  it('are not made where nobody picks by wave', async () => {
    await expect(makeWavesNow(spine.runtime, 'shop')).rejects.toMatchObject({ code: 'noWaves' })
  })
})

describe('a box', () => {
  it('is packed when every piece was scanned, and not before', async () => {
    const { orderId, unitId, number } = await inWave()
    expect(await scan('A', number)).toMatchObject({ message: { tone: 'ok' }, box: { unitId, suggestedBox: 'F' } })
    expect(await scan('A', 'DONE')).toMatchObject({ message: { tone: 'warn', en: expect.stringContaining('CAP × 2 (A-10)') } })
    await scans('A', '4711111111111', 'cap', '4712222222222', 'W:1250', 'PHOTO:cam-1/77')
    expect((await unitOf(orderId))?.state).toBe('handedOver')
    expect(await scan('A', 'DONE')).toMatchObject({ message: { tone: 'done' }, closed: unitId, box: null })
    expect(await unitOf(orderId)).toMatchObject({ state: 'packed', lines: [{ packed: 2 }, { packed: 1 }] })
    const kept = await spine.db.pool.query(
      'select k.box, k.weight_grams, k.media, u.weight_grams as told from packing k join units u on u.id = k.unit_id where unit_id = $1',
      [unitId],
    )
    expect(kept.rows).toMatchObject([
      { box: 'F', weight_grams: 1250, told: 1250, media: [{ kind: 'photo', reference: 'cam-1/77' }] },
    ])
    expect(await scan('A', unitId)).toMatchObject({ message: { tone: 'warn', en: expect.stringContaining('packed already') } })
    expect(await stationView(spine.db.pool, 'A')).toMatchObject({ box: null, last: { unitId, label: null } })
    await clean()
  })

  it('is stopped by a wrong, an extra and an unknown item until it is taken out', async () => {
    const { number, orderId } = await inWave({ lines: lines(['CAP', 1]) })
    await scan('B', number)
    for (const [code, says] of [
      ['4712222222222', 'Wrong item: 上衣'],
      ['9999999999999', 'not known'],
    ] as const) {
      expect(await scan('B', code)).toMatchObject({
        message: { tone: 'stop', en: expect.stringContaining(says) },
        box: { stopped: true },
      })
      expect(await scan('B', 'CAP')).toMatchObject({ message: { tone: 'stop' }, box: { bench: { lines: [{ scanned: 0 }] } } })
      expect(await scan('B', 'DONE')).toMatchObject({ message: { tone: 'stop' }, closed: null })
      expect(await scan('B', 'UNDO')).toMatchObject({ message: { tone: 'ok' }, box: { stopped: false } })
    }
    await scan('B', 'CAP')
    expect(await scan('B', 'CAP')).toMatchObject({ message: { tone: 'stop', en: expect.stringContaining('Too many') } })
    expect((await scans('B', 'UNDO', 'DONE')).message.tone).toBe('done')
    expect(await unitOf(orderId)).toMatchObject({ state: 'packed', lines: [{ packed: 1 }] })
  })

  it('counts by quantity code, takes the last scan back, and reads full-width codes', async () => {
    const { number } = await inWave({ lines: lines(['CAP', 3]) })
    await scan('C', number)
    expect(await scans('C', '*3', 'ＣＡＰ')).toMatchObject({ box: { bench: { lines: [{ scanned: 3 }] } } })
    expect(await scan('C', 'UNDO')).toMatchObject({ box: { bench: { lines: [{ scanned: 0 }] } } })
    expect(await scans('C', '*4', 'CAP')).toMatchObject({ message: { tone: 'stop', en: expect.stringContaining('1 extra') } })
    expect((await scans('C', 'UNDO', '*3', 'CAP', 'DONE')).message.tone).toBe('done')
  })

  it('for goods that break takes no box without padding', async () => {
    const { number } = await inWave()
    await scan('D', number)
    expect(await scan('D', 'S')).toMatchObject({
      message: { tone: 'warn', en: expect.stringContaining('Fragile') },
      box: { bench: { box: null } },
    })
    expect(await scan('D', 'F')).toMatchObject({ message: { tone: 'ok' }, box: { bench: { box: 'F' } } })
    await scan('D', 'LEAVE')
  })

  it('with a damaged piece books it out and waits for another of the same shelf', async () => {
    const { number, orderId, unitId } = await inWave()
    const before = await onHand('CAP')
    await scans('E', number, '*2', 'CAP', 'DAMAGED')
    expect(await scan('E', 'CAP')).toMatchObject({ box: { bench: { lines: [{ scanned: 1, damaged: 1 }, {}] } } })
    expect(await onHand('CAP')).toBe(before)
    expect(await scans('E', 'TEE-M', 'DONE')).toMatchObject({
      closed: null,
      message: { tone: 'warn', en: expect.stringContaining('Fetch CAP × 1 (A-10)') },
      box: { bench: { lines: [{ scanned: 1, damaged: 0, replaced: 1 }, {}] } },
    })
    expect(await onHand('CAP')).toBe(before - 1)
    expect(await spine.held(orderId)).toBe(3)
    // Booked out is booked out: taking the last scan back changes nothing of it.
    expect((await scan('E', 'UNDO')).message.tone).toBe('warn')
    expect((await scan('E', 'DONE')).message.en).toContain('CAP × 1')
    expect((await scans('E', 'CAP', 'DONE')).closed).toBe(unitId)
    const moved = await spine.db.pool.query('select sku, quantity, reason from movements where reference = $1', [unitId])
    expect(moved.rows).toEqual([{ sku: 'CAP', quantity: -1, reason: 'damaged' }])
    expect(await unitOf(orderId)).toMatchObject({ state: 'packed', lines: [{ packed: 2, short: 0 }, {}] })
    expect((await spine.order(orderId)).view().missing).toBe(0)
    await clean()
  })

  it('with damaged pieces of which the shelf has too few takes what there is; the rest is looked for elsewhere', async () => {
    const { number, orderId, unitId } = await inWave({ lines: lines(['CAP', 3]) })
    const free = `select on_hand - held as n from stock where sku = 'CAP' and location = 'south'`
    const safety = (pieces: string) =>
      spine.db.pool.query(`update stock set safety = ${pieces} where sku = 'CAP' and location = 'south'`)
    await safety('on_hand - held - 1')
    await scans('E', number, '*3', 'CAP', '*2', 'DAMAGED')
    expect(await scan('E', 'CAP')).toMatchObject({ box: { bench: { lines: [{ scanned: 1, damaged: 2 }] } } })
    expect(await scan('E', 'DONE')).toMatchObject({ closed: null, box: { bench: { lines: [{ damaged: 1, replaced: 1 }] } } })
    expect((await scans('E', 'CAP', 'DONE')).closed).toBe(unitId)
    await safety('0')
    const moved = await spine.db.pool.query('select quantity, reason from movements where reference = $1', [unitId])
    expect(moved.rows).toEqual([
      { quantity: -1, reason: 'damaged' },
      { quantity: -1, reason: 'damaged' },
    ])
    expect(await unitOf(orderId)).toMatchObject({ lines: [{ packed: 2, short: 1 }] })
    await spine.steps.reRoute(orderId)
    expect(await unitOf(orderId, 1)).toMatchObject({ location: 'south', lines: [{ sku: 'CAP', quantity: 1 }] })
    expect((await spine.db.pool.query<{ n: number }>(free)).rows[0]?.n).toBeGreaterThanOrEqual(0)
    await clean()
  })

  it('with one piece damaged and one not there keeps the two apart', async () => {
    const { number, unitId } = await inWave({ lines: lines(['CAP', 3]) })
    expect((await scans('F', number, 'CAP', 'DAMAGED', 'CAP', 'SHORT', 'CAP', 'DONE')).closed).toBe(unitId)
    const moved = await spine.db.pool.query('select quantity, reason from movements where reference = $1 order by reason', [
      unitId,
    ])
    expect(moved.rows).toEqual([
      { quantity: -1, reason: 'damaged' },
      { quantity: -1, reason: 'shortPick' },
    ])
    await clean()
  })

  it('of which nothing can be packed ends, and the order goes on without it', async () => {
    const { number, orderId } = await inWave({ lines: lines(['CAP', 1]) })
    await scans('G', number, 'SHORT', 'CAP')
    expect(await scan('G', 'DONE')).toMatchObject({ message: { tone: 'done', en: expect.stringContaining('Nothing') } })
    expect((await unitOf(orderId))?.state).toBe('cancelled')
    await clean()
  })
})

describe('stations', () => {
  it('that want the same box at once: one gets it, the other is told who has it', async () => {
    const { unitId } = await inWave({ lines: lines(['CAP', 1]) })
    const answers = await Promise.all([scan('H1', unitId), scan('H2', unitId)])
    const winner = answers.findIndex(({ box }) => box !== null)
    const loser = answers[1 - winner]
    expect(loser).toMatchObject({ box: null, message: { tone: 'warn', en: expect.stringContaining(`station H${winner + 1}`) } })
    await scan(`H${winner + 1}`, 'CAP')
    await scan(`H${winner + 1}`, 'LEAVE')
    // Taken up where it was laid down.
    expect(await scan(`H${2 - winner}`, unitId)).toMatchObject({ box: { bench: { lines: [{ scanned: 1 }] } } })
    expect((await scan(`H${2 - winner}`, 'DONE')).closed).toBe(unitId)
  })

  it('that send a scan twice, at once or after closing, are answered the same and counted once', async () => {
    const { unitId } = await inWave({ lines: lines(['CAP', 2]) })
    await scan('I', unitId)
    const twice = await Promise.all([scan('I', 'CAP', { scanId: 's1' }), scan('I', 'CAP', { scanId: 's1' })])
    expect(twice.map(({ repeated }) => repeated).sort((a, b) => Number(a) - Number(b))).toEqual([false, true])
    expect(await scan('I', 'CAP', { scanId: 's2' })).toMatchObject({ box: { bench: { lines: [{ scanned: 2 }] } } })
    const closed = await Promise.all([scan('I', 'DONE', { scanId: 's3' }), scan('I', 'DONE', { scanId: 's3' })])
    expect(closed.map((answer) => answer.closed)).toEqual([unitId, unitId])
    expect(await scan('I', 'DONE', { scanId: 's3' })).toMatchObject({ closed: unitId, repeated: true })
    await clean()
  })

  it('whose order is cancelled meanwhile are told to stop', async () => {
    const { unitId, orderId } = await inWave({ lines: lines(['CAP', 1]) })
    await scans('J', unitId, 'CAP')
    await spine.command(orderId, 'cancel')
    await spine.steps.recall(orderId)
    expect(await scan('J', 'DONE')).toMatchObject({
      message: { tone: 'stop', en: expect.stringContaining('cancelled') },
      closed: null,
    })
    expect(await scan('J', unitId)).toMatchObject({ message: { tone: 'stop', en: expect.stringContaining('do not ship') } })
  })

  it('are told what they cannot pack: what waits for a wave, what a warehouse packs, what nobody knows', async () => {
    const waiting = await spine.place({ lines: lines(['CAP', 1]) })
    await spine.untilRouted(waiting)
    const elsewhere = await spine.place({ lines: lines(['TEE-S', 1]) })
    await spine.untilRouted(elsewhere)
    expect((await scan('K', waiting)).message.en).toContain('not in a wave yet')
    expect((await scan('K', elsewhere)).message.en).toContain('not packed here')
    expect((await scan('K', 'CAP')).message.en).toContain('is an item')
    expect((await scan('K', 'nobody')).message.en).toContain('not known')
    expect((await scan('K', 'DONE')).message.en).toContain('no box')
  })

  it('scan a wave and get its boxes one after the other', async () => {
    await makeWavesNow(spine.runtime, 'south')
    const ids = [await spine.place({ lines: lines(['CAP', 1]) }), await spine.place({ lines: lines(['CAP', 1]) })]
    for (const id of ids) await spine.untilRouted(id)
    const [wave] = await makeWavesNow(spine.runtime, 'south')
    const packed = []
    for (let box = 0; box < 2; box++) packed.push((await scans('L', wave ?? '', 'CAP', 'DONE')).closed)
    expect(new Set(packed).size).toBe(2)
    expect((await scan('L', wave ?? '')).message.en).toContain('packed already')
  })
})

describe('papers', () => {
  it('are a delivery note, and item labels where the product asks', async () => {
    const { unitId } = await inWave()
    expect((await deliveryNoteOf(spine.db.pool, unitId, new Date())).subarray(0, 5).toString()).toBe('%PDF-')
    const labels = (await itemLabelsOf(spine.db.pool, unitId, new Date())).toString('latin1')
    expect(labels.match(/\/Type \/Page\b/g)).toHaveLength(1)
    const plain = await inWave({ lines: lines(['CAP', 1]) })
    await expect(itemLabelsOf(spine.db.pool, plain.unitId, new Date())).rejects.toMatchObject({ code: 'noItemLabels' })
  })
})
