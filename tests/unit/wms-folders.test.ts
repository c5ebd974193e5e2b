import { mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile, appendFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectorContext, Wave } from '../../connectors/kit/types.ts'
import type { WmsConfig } from '../../connectors/wms/config.ts'
import { wms } from '../../connectors/wms/index.ts'

let root = ''
let ctx: ConnectorContext<WmsConfig>
const warehouse = wms.warehouse!
const unused = () => {
  throw new Error('a drop folder needs neither HTTP nor tokens')
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'wms-'))
  await mkdir(join(root, 'out'))
  await mkdir(join(root, 'in'))
  const config = wms.configSchema.parse({ outFolder: join(root, 'out'), inFolder: join(root, 'in') })
  ctx = {
    connection: { name: 'wms-tpe', connector: wms.name, version: 1, paused: false, config },
    http: { request: unused },
    tokens: { read: unused, refresh: unused },
    now: () => new Date(),
  }
})
afterEach(() => rm(root, { recursive: true, force: true }))

const wave = (id: string, units = 2): Wave => ({
  id,
  location: 'TPE',
  createdAt: '2026-11-22T02:00:00.000Z',
  units: Array.from({ length: units }, (_, index) => ({
    unitId: `o-${index}-u1`,
    orderId: `o-${index}`,
    externalId: `26112200${index}`,
    priority: 0,
    notes: '請按電鈴',
    askedTime: null,
    recipient: { name: '王小明', phone: '+886912345678', postalCode: '100', address: '臺北市中正區' },
    delivery: { method: 'home', service: 'TCAT' },
    lines: [{ lineId: '1', sku: 'A', name: null, quantity: 1 }],
  })),
})
const advice = (unitId: string, status = 'picked') =>
  `<Advice><AdviceId>${unitId}-${status}</AdviceId><UnitId>${unitId}</UnitId><Status>${status}</Status><EventAt>2026-11-22T10:00:00+08:00</EventAt><Lines><Line><LineId>1</LineId><Picked>1</Picked><Short>0</Short></Line></Lines></Advice>`
const file = (...inner: string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ShipmentAdvices format="1">${inner.join('')}</ShipmentAdvices>\n`
const drop = (name: string, text: string) => writeFile(join(root, 'in', name), text)
const inFolder = async (folder: string) => (await readdir(join(root, folder))).toSorted()
const filesIn = async (folder: string) =>
  (await readdir(join(root, folder), { withFileTypes: true }))
    .filter((e) => e.isFile())
    .map((e) => e.name)
    .toSorted()
const rest = (name: string, ms: number) => {
  const past = new Date(Date.now() - ms)
  return utimes(join(root, 'in', name), past, past)
}

describe('sending', () => {
  it('leaves one file however often the same wave is sent, untouched the second time', async () => {
    expect(await warehouse.sendWave(ctx, wave('w-1'))).toBe('wave-w-1.xml')
    const first = await stat(join(root, 'out/wave-w-1.xml'))
    expect(await warehouse.sendWave(ctx, wave('w-1'))).toBe('wave-w-1.xml')
    expect(await inFolder('out')).toEqual(['wave-w-1.xml'])
    expect((await stat(join(root, 'out/wave-w-1.xml'))).ino).toBe(first.ino)
  })

  it('leaves one file when several processes send the same wave at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => warehouse.sendWave(ctx, wave('w-1', 200))))
    expect(await inFolder('out')).toEqual(['wave-w-1.xml'])
  })

  it('replaces a file that says something else, as a whole', async () => {
    await writeFile(join(root, 'out/wave-w-1.xml'), '<Wave')
    await warehouse.sendWave(ctx, wave('w-1'))
    expect(await readFile(join(root, 'out/wave-w-1.xml'), 'utf8')).toMatch(/<\/Wave>\n$/)
  })

  it('writes cancellations and labels once a key', async () => {
    for (const _ of [1, 2]) {
      await warehouse.sendCancel(ctx, { unitId: 'u1', reason: 'changed', key: 'u1-1' })
      await warehouse.sendLabel(ctx, {
        unitId: 'u1',
        waybill: '9',
        courier: 'TCAT',
        amountDueMinor: 59000,
        notes: null,
        key: 'u1-p1',
      })
    }
    expect(await inFolder('out')).toEqual(['cancel-u1-1.xml', 'label-u1-p1.xml'])
  })

  it('names the folder and the remedy when it is not there, and makes none', async () => {
    await rm(join(root, 'out'), { recursive: true })
    await expect(warehouse.sendWave(ctx, wave('w-1'))).rejects.toMatchObject({
      kind: 'Misconfigured',
      message: expect.stringContaining(join(root, 'out')),
      remedy: expect.stringContaining('folder'),
    })
    expect(await inFolder('.')).toEqual(['in'])
  })
})

describe('reading', () => {
  it('reads in the order of names and moves the files only when it is told that the records are durable', async () => {
    await drop('b.xml', file(advice('u2')))
    await drop('a.xml', file(advice('u1'), advice('u1', 'packed')))
    const answers = await warehouse.readAnswers(ctx)
    expect(answers.records.map(({ externalId, version }) => [externalId, version.split('/')[0]])).toEqual([
      ['u1', 'u1-picked'],
      ['u1', 'u1-packed'],
      ['u2', 'u2-picked'],
    ])
    // A crash before acknowledge: everything is read again, as the same records.
    const again = await warehouse.readAnswers(ctx)
    expect(again.records).toEqual(answers.records)
    await again.acknowledge()
    expect(await filesIn('in')).toEqual([])
    expect(await inFolder('in/done')).toEqual(['a.xml', 'b.xml'])
    expect((await warehouse.readAnswers(ctx)).records).toEqual([])
  })

  it('keeps both of two files with one name', async () => {
    for (const id of ['u1', 'u2']) {
      await drop('advice.xml', file(advice(id)))
      await (await warehouse.readAnswers(ctx)).acknowledge()
    }
    expect(await inFolder('in/done')).toEqual(['advice.2.xml', 'advice.xml'])
  })

  it('leaves hidden, temporary and foreign names alone', async () => {
    for (const name of ['.a.xml', 'a.xml.tmp', 'a.xml.part', '~a.xml', 'readme.txt']) await drop(name, file(advice('u1')))
    const answers = await warehouse.readAnswers(ctx)
    await answers.acknowledge()
    expect(answers).toMatchObject({ records: [], rejected: [] })
    expect(await filesIn('in')).toHaveLength(5)
  })

  it('waits for a half-written file, and reads it when its end has come', async () => {
    const whole = file(advice('u1'))
    await drop('half.xml', whole.slice(0, 80))
    await drop('empty.xml', '')
    const early = await warehouse.readAnswers(ctx)
    await early.acknowledge()
    expect(early).toMatchObject({ records: [], rejected: [] })
    await appendFile(join(root, 'in/half.xml'), whole.slice(80))
    expect((await warehouse.readAnswers(ctx)).records).toHaveLength(1)
  })

  it('sets a half file aside once nobody has written to it for a minute', async () => {
    await drop('half.xml', file(advice('u1')).slice(0, 80))
    await rest('half.xml', 61_000)
    const answers = await warehouse.readAnswers(ctx)
    expect(answers.rejected).toEqual([
      { file: 'half.xml', reason: expect.stringMatching(/<\/ShipmentAdvices> is missing .*nobody has written to it for 61 s/) },
    ])
  })

  it('sets a bad file aside with its reason; the others go on', async () => {
    await drop('1-good.xml', file(advice('u1')))
    await drop('2-bad.xml', file(advice('u2')).replace('</UnitId>', '</UnitID>'))
    await drop('3-good.xml', file(advice('u3')))
    const answers = await warehouse.readAnswers(ctx)
    expect(answers.records.map(({ externalId }) => externalId)).toEqual(['u1', 'u3'])
    expect(answers.rejected).toEqual([{ file: '2-bad.xml', reason: expect.stringContaining("Expected closing tag 'UnitId'") }])
    await answers.acknowledge()
    expect(await filesIn('in')).toEqual([])
    expect(await inFolder('in/rejected')).toEqual(['2-bad.xml', '2-bad.xml.reason.txt'])
    expect(await readFile(join(root, 'in/rejected/2-bad.xml.reason.txt'), 'utf8')).toContain('line 2')
  })

  it('sets one bad advice of a good file aside; the file is done', async () => {
    await drop('mixed.xml', file(advice('u1'), '<Advice><Status>picked</Status></Advice>', advice('u2')))
    const answers = await warehouse.readAnswers(ctx)
    expect(answers.records.map(({ externalId }) => externalId)).toEqual(['u1', 'u2'])
    expect(answers.rejected).toEqual([
      {
        file: expect.stringMatching(/^mixed\.advice-2-[0-9a-f]{8}\.json$/),
        reason: expect.stringContaining('UnitId is missing'),
      },
    ])
    await answers.acknowledge()
    await answers.acknowledge() // twice is once
    const { file: name } = answers.rejected[0]!
    expect(await inFolder('in/rejected')).toEqual([name, `${name}.reason.txt`])
    expect(JSON.parse(await readFile(join(root, 'in/rejected', name), 'utf8'))).toEqual({ Status: 'picked' })
    expect(await inFolder('in/done')).toEqual(['mixed.xml'])
  })

  it('does not move away what was written to after it was read', async () => {
    await drop('advice.xml', file(advice('u1')))
    const answers = await warehouse.readAnswers(ctx)
    await drop('advice.xml', file(advice('u1'), advice('u2')))
    await answers.acknowledge()
    expect((await warehouse.readAnswers(ctx)).records.map(({ externalId }) => externalId)).toEqual(['u1', 'u2'])
  })

  it('sets a file that is too large aside unread', async () => {
    ctx.connection.config.maxFileBytes = 100
    await drop('huge.xml', file(advice('u1')))
    expect((await warehouse.readAnswers(ctx)).rejected[0]?.reason).toMatch(/at most 100 are read; write several files/)
  })

  it('reads a large backlog in portions', async () => {
    for (let index = 0; index < 201; index++) await drop(`${String(index).padStart(3, '0')}.xml`, file(advice(`u${index}`)))
    const first = await warehouse.readAnswers(ctx)
    expect(first.records).toHaveLength(200)
    await first.acknowledge()
    expect((await warehouse.readAnswers(ctx)).records.map(({ externalId }) => externalId)).toEqual(['u200'])
  })

  it('says which folder is missing', async () => {
    await rm(join(root, 'in'), { recursive: true })
    await expect(warehouse.readAnswers(ctx)).rejects.toMatchObject({
      kind: 'Misconfigured',
      message: expect.stringContaining(join(root, 'in')),
    })
  })
})

describe('check', () => {
  it('is content with folders it can write to, and leaves nothing in them', async () => {
    expect(await wms.check(ctx)).toEqual({ ok: true, problems: [] })
    expect([await filesIn('in'), await inFolder('out')]).toEqual([[], []])
  })

  it('names each folder that is missing, no folder, or given twice', async () => {
    await rm(join(root, 'in'), { recursive: true })
    await rm(join(root, 'out'), { recursive: true })
    await writeFile(join(root, 'out'), '')
    ctx.connection.config.doneFolder = join(root, 'done')
    ctx.connection.config.rejectedFolder = join(root, 'x/../done')
    const { ok, problems } = await wms.check(ctx)
    expect(ok).toBe(false)
    expect(problems.map(({ message }) => message.replaceAll(root, ''))).toEqual([
      'outFolder /out is not a folder',
      'inFolder /in does not exist',
      'rejectedFolder /done is given to another use too',
    ])
    expect(await inFolder('.')).toEqual(['out'])
  })
})
