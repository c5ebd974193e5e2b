/** The drop folder's CSV: read back by a reader that is not ours (SheetJS), and answers as warehouses write them. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as XLSX from '@e965/xlsx'
import iconv from 'iconv-lite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WmsConfig } from '../../connectors/wms/config.ts'
import { cancelCsv, labelCsv, parseAdviceCsv, waveCsv } from '../../connectors/wms/csv.ts'
import { wms } from '../../connectors/wms/index.ts'
import { mapAdvice } from '../../connectors/wms/mapAdvice.ts'
import type { ConnectorContext } from '../../connectors/kit/types.ts'
import { aWave } from '../acceptance/samples.ts'

const utf8 = { delimiter: ',', encoding: 'utf-8' as const }
const big5 = { delimiter: '\t', encoding: 'big5' as const }

const read = (content: string | Buffer, delimiter = ','): Record<string, string>[] => {
  const text = typeof content === 'string' ? content : iconv.decode(content, 'big5')
  const book = XLSX.read(text, { type: 'string', raw: true, FS: delimiter })
  return XLSX.utils.sheet_to_json(book.Sheets[book.SheetNames[0] ?? ''] ?? {}, { defval: '' })
}
const waveOf = (over: { notes?: string; name?: string } = {}) => {
  const [unit] = aWave().units
  if (!unit) throw new Error('no unit')
  const lines = [
    { lineId: '1', sku: 'TEE-M', name: '上衣, "白"', quantity: 2 },
    { lineId: '2', sku: 'CAP', name: null, quantity: 1 },
  ]
  return aWave({
    units: [{ ...unit, notes: over.notes ?? null, lines, recipient: { ...unit.recipient, name: over.name ?? '陳小明' } }],
  })
}

describe('what the warehouse gets', () => {
  it('is a row for each line, with every text as it was', () => {
    const { fileName, content } = waveCsv(waveOf({ notes: '請於管理室\n代收; "急"' }), utf8)
    expect(fileName).toBe('wave-wave-1.csv')
    const rows = read(content)
    expect(rows.map(({ LineId, Sku, Name, Quantity }) => [LineId, Sku, Name, Quantity])).toEqual([
      ['1', 'TEE-M', '上衣, "白"', '2'],
      ['2', 'CAP', '', '1'],
    ])
    expect(rows[1]).toMatchObject({
      WaveId: 'wave-1',
      UnitId: 'unit-1',
      Notes: '請於管理室 代收; "急"',
      RecipientName: '陳小明',
      RecipientPhone: '+886912345678',
      DeliveryMethod: 'home',
      DeliveryService: '',
    })
  })
  it('is in Big5 where the warehouse wants it', () => {
    const { content } = waveCsv(waveOf(), big5)
    expect(Buffer.isBuffer(content)).toBe(true)
    expect(read(content, '\t')[0]).toMatchObject({ RecipientName: '陳小明', Sku: 'TEE-M' })
  })
  it.each([
    ['堃😀', 'U+1F600'],
    ['𠮷野', 'U+20BB7'],
  ])('refuses what Big5 cannot write, and names the character by its number alone: %s', (name, character) => {
    expect(() => waveCsv(waveOf({ name }), big5)).toThrow(
      expect.objectContaining({
        kind: 'Invalid',
        code: 'encoding',
        message: `wave-wave-1.csv: RecipientName holds ${character}, which Big5 does not have`,
      }) as Error,
    )
    expect(read(waveCsv(waveOf({ name }), utf8).content)[0]?.RecipientName).toBe(name)
  })
  it('has cancellations and labels of their own', () => {
    expect(read(cancelCsv({ unitId: 'u1', reason: 'a,b', key: 'c1' }, utf8).content)).toEqual([
      { Key: 'c1', UnitId: 'u1', Reason: 'a,b' },
    ])
    const label = { unitId: 'u1', waybill: '0900', courier: 'TCAT', amountDueMinor: 59_000, notes: null, key: 'l1' }
    expect(read(labelCsv(label, utf8).content)).toEqual([
      { Key: 'l1', UnitId: 'u1', Waybill: '0900', Courier: 'TCAT', AmountDueMinor: '59000', Notes: '' },
    ])
  })
})

const HEAD = 'AdviceId,UnitId,Status,EventAt,WeightGrams,Reason,LineId,Picked,Short'
const AT = '2026-11-22T10:15:00+08:00'
const bytes = (...rows: string[]) => Buffer.from(rows.map((row) => `${row}\r\n`).join(''))

describe('what the warehouse answers', () => {
  it('rows of one advice become one record', () => {
    const file = bytes(
      HEAD,
      `1,u1,packed,${AT},800,,1,2,0`,
      `1,u1,packed,${AT},800,,2,0,1`,
      `2,u2,cancelled,${AT},,"not there, sorry",,,`,
    )
    const parsed = parseAdviceCsv(file, 'a.csv', utf8)
    if (parsed.state !== 'read') throw new Error(parsed.reason)
    expect(parsed.records.map(mapAdvice)).toEqual([
      {
        unitId: 'u1',
        status: 'packed',
        lines: [
          { lineId: '1', picked: 2, short: 0 },
          { lineId: '2', picked: 0, short: 1 },
        ],
        weightGrams: 800,
        eventAt: AT,
        reason: null,
      },
      { unitId: 'u2', status: 'cancelled', lines: [], weightGrams: null, eventAt: AT, reason: 'not there, sorry' },
    ])
  })
  it('columns may stand in any order and more may be there', () => {
    const parsed = parseAdviceCsv(bytes('extra,status,EVENTAT,unitid', `x,cancelled,${AT},u1`), 'a.csv', utf8)
    expect(parsed).toMatchObject({ state: 'read', records: [{ externalId: 'u1', eventAt: AT }], bad: [] })
  })
  it('an advice without its unit is set aside alone', () => {
    const parsed = parseAdviceCsv(bytes(HEAD, `1,,packed,${AT},,,1,1,0`, `2,u2,cancelled,${AT},,,,,`), 'a.csv', utf8)
    expect(parsed).toMatchObject({ state: 'read', records: [{ externalId: 'u2' }], bad: [{ position: 1 }] })
  })
  it.each([
    ['the end of the last row is missing', Buffer.from(`${HEAD}\r\n1,u1,packed`), 'unfinished'],
    ['it breaks off within a character', Buffer.concat([bytes(HEAD), Buffer.from('缺').subarray(0, 2)]), 'unfinished'],
    [
      'it is Big5 and should be UTF-8',
      Buffer.concat([iconv.encode(`${HEAD}\r\n1,u1,cancelled,${AT},,缺貨,,,\r\n`, 'big5')]),
      'unreadable',
    ],
    ['its first row is no head', bytes(`1,u1,packed,${AT},,,1,2,0`), 'unreadable'],
    ['a quotation mark is never closed', bytes(HEAD, `1,u1,cancelled,${AT},,"lost,,,`), 'unreadable'],
    ['it is empty', Buffer.alloc(0), 'unfinished'],
  ])('%s', (_what, file, state) => {
    expect(parseAdviceCsv(file, 'a.csv', utf8).state).toBe(state)
  })
  it('is read in Big5 where the connection says so', () => {
    const file = iconv.encode(`${HEAD}\n1,u1,cancelled,${AT},,缺貨,,,\n`.replaceAll(',', '\t'), 'big5')
    expect(parseAdviceCsv(file, 'a.csv', big5)).toMatchObject({ state: 'read', records: [{ payload: { Reason: '缺貨' } }] })
  })
})

describe('the folder', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'omnisaga-wms-csv-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('writes .csv, reads .csv, and leaves the warehouse its other files', async () => {
    const config = WmsConfig.parse({ outFolder: folder, inFolder: folder, format: 'csv', encoding: 'big5' })
    const ctx = { connection: { config }, now: () => new Date() } as unknown as ConnectorContext<WmsConfig>
    const { warehouse } = wms
    if (!warehouse) throw new Error('no warehouse')
    const name = await warehouse.sendWave(ctx, waveOf())
    expect(iconv.decode(readFileSync(join(folder, name)), 'big5')).toContain('陳小明')
    rmSync(join(folder, name))
    writeFileSync(join(folder, 'a.xml'), 'not ours')
    writeFileSync(join(folder, 'a.csv'), iconv.encode(`${HEAD}\n1,u1,cancelled,${AT},,缺貨,,,\n`, 'big5'))
    const answers = await warehouse.readAnswers(ctx)
    expect(answers.records.map(mapAdvice)).toMatchObject([{ unitId: 'u1', reason: '缺貨' }])
    await answers.acknowledge()
    expect(readdirSync(folder).toSorted()).toEqual(['a.xml', 'done'])
  })
})
