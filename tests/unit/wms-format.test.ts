import { describe, expect, it } from 'vitest'
import { SaxesParser } from 'saxes'
import type { Connector, Wave, WaveUnit } from '../../connectors/kit/types.ts'
import { wms } from '../../connectors/wms/index.ts'
import { parseAdviceFile } from '../../connectors/wms/adviceFile.ts'
import { mapAdvice } from '../../connectors/wms/mapAdvice.ts'
import { cancelRequest, fileNameOf, labelRequest, waveRequest } from '../../connectors/wms/requests.ts'

interface Element {
  name: string
  text: string
  children: Element[]
}
/** An independent reading: saxes throws on anything that is not well-formed XML 1.0. */
function read(xml: string): Element {
  const top: Element = { name: '', text: '', children: [] }
  const stack = [top]
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name }) => {
    const element = { name, text: '', children: [] }
    stack.at(-1)!.children.push(element)
    stack.push(element)
  })
  parser.on('text', (text) => (stack.at(-1)!.text += text))
  parser.on('closetag', () => stack.pop())
  parser.write(xml).close()
  return top.children[0]!
}
const at = (element: Element, ...path: string[]): Element =>
  path.reduce(
    (inner, name) => inner.children.find((child) => child.name === name) ?? { name, text: '(missing)', children: [] },
    element,
  )

const unit = (more: Partial<WaveUnit> = {}): WaveUnit => ({
  unitId: 'o-1-u1',
  orderId: 'o-1',
  externalId: '2611220001',
  priority: 0,
  notes: null,
  askedTime: null,
  recipient: { name: '陳堃峯', phone: '+886912345678', postalCode: '100', address: '臺北市中正區忠孝東路一段1號' },
  delivery: { method: 'home', service: 'TCAT' },
  lines: [{ lineId: '1', sku: 'SKU-1', name: '襯衫 <白> & "藍"', quantity: 2 }],
  ...more,
})
const wave = (...units: WaveUnit[]): Wave => ({ id: 'w-1', location: 'TPE', createdAt: '2026-11-22T02:00:00.000Z', units })
const advices = (inner: string) =>
  Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<ShipmentAdvices format="1">${inner}</ShipmentAdvices>\n`)
const one =
  '<Advice><AdviceId>1</AdviceId><UnitId>u1</UnitId><Status>picked</Status><EventAt>2026-11-22T10:00:00+08:00</EventAt><Lines><Line><LineId>1</LineId><Picked>2</Picked><Short>0</Short></Line></Lines></Advice>'

describe('the wave file', () => {
  it('gives every text back exactly, Chinese, rare characters, markup and line ends included', () => {
    const notes = '請於管理室代收 𠮷堃峯喆 ①②\n第二行 ]]> <b>&amp;</b> "quoted" \'single\' \ttab 😀'
    const order = at(read(waveRequest(wave(unit({ notes, askedTime: '下午 2-6 點' }))).content), 'Orders', 'Order')
    expect(at(order, 'Notes').text).toBe(notes)
    expect(at(order, 'AskedTime').text).toBe('下午 2-6 點')
    expect(at(order, 'Recipient', 'Name').text).toBe('陳堃峯')
    expect(at(order, 'Recipient', 'Address').text).toBe('臺北市中正區忠孝東路一段1號')
    expect(at(order, 'Lines', 'Line', 'Name').text).toBe('襯衫 <白> & "藍"')
    expect(at(order, 'Lines', 'Line', 'Quantity').text).toBe('2')
    expect(order.children.some(({ name }) => name === 'Remark')).toBe(false)
  })

  it('has the elements of to-warehouse.xsd in its order', () => {
    const root = read(waveRequest(wave(unit({ notes: 'n', askedTime: 'a' }), unit({ unitId: 'o-2-u1' }))).content)
    expect(root.name).toBe('Wave')
    expect(root.children.map(({ name }) => name)).toEqual(['WaveId', 'Location', 'CreatedAt', 'Orders'])
    expect(at(root, 'Orders').children.map((order) => at(order, 'UnitId').text)).toEqual(['o-1-u1', 'o-2-u1'])
    expect(at(root, 'Orders', 'Order').children.map(({ name }) => name)).toEqual([
      'UnitId',
      'OrderId',
      'OrderNumber',
      'Priority',
      'Notes',
      'AskedTime',
      'Recipient',
      'Delivery',
      'Lines',
    ])
  })

  it('replaces characters that XML cannot carry and says where', () => {
    const order = at(read(waveRequest(wave(unit({ notes: 'a\u0000b\u0007c\ud800d' }))).content), 'Orders', 'Order')
    expect(at(order, 'Notes').text).toBe('a\ufffdb\ufffdc\ufffdd')
    expect(at(order, 'Remark').text).toContain('Notes (3)')
  })

  it('leaves out what the channel masks instead of writing null', () => {
    const masked = unit({ recipient: { name: null, phone: null, postalCode: null, address: null } })
    const { content } = waveRequest(wave(masked))
    expect(at(read(content), 'Orders', 'Order', 'Recipient').children).toEqual([])
    expect(content).not.toContain('null')
  })

  it('is refused for a wave or a unit with nothing in it', () => {
    expect(() => waveRequest(wave())).toThrow(/w-1 has no units/)
    expect(() => waveRequest(wave(unit({ lines: [] })))).toThrow(/o-1-u1 of wave w-1 has no lines/)
  })
})

describe('file names', () => {
  it('come from the id alone and never lead out of the folder', () => {
    expect(fileNameOf('wave', 'w-20261122-1')).toBe('wave-w-20261122-1.xml')
    for (const id of ['../../etc/passwd', 'a/b', '.', '陳', 'x'.repeat(300), 'a\u0000b', ''])
      expect(fileNameOf('cancel', id)).toMatch(/^cancel-[A-Za-z0-9-]{0,61}-[0-9a-f]{12}\.xml$/)
    expect(fileNameOf('label', 'a/b')).not.toBe(fileNameOf('label', 'a:b'))
  })
})

describe('cancel and label files', () => {
  it('carry what the warehouse needs', () => {
    const cancel = read(cancelRequest({ unitId: 'u1', reason: '客人改變主意', key: 'cancel/u1' }).content)
    expect(cancel.children.map(({ name, text }) => [name, text])).toEqual([
      ['Key', 'cancel/u1'],
      ['UnitId', 'u1'],
      ['Reason', '客人改變主意'],
    ])
    const label = read(
      labelRequest({ unitId: 'u1', waybill: '905012345678', courier: 'TCAT', amountDueMinor: 0, notes: '易碎', key: 'p1' })
        .content,
    )
    expect(label.children.map(({ name, text }) => [name, text])).toEqual([
      ['Key', 'p1'],
      ['UnitId', 'u1'],
      ['Waybill', '905012345678'],
      ['Courier', 'TCAT'],
      ['AmountDueMinor', '0'],
      ['Notes', '易碎'],
    ])
  })
})

describe('parseAdviceFile', () => {
  it('makes a record of each advice, a single one included, numbers kept as text', () => {
    const file = parseAdviceFile(advices(one.replace('u1', '0912')), 'a.xml')
    expect(file).toMatchObject({
      state: 'read',
      bad: [],
      records: [{ kind: 'shipmentAdvice', externalId: '0912', eventAt: '2026-11-22T10:00:00+08:00' }],
    })
  })

  it('gives the same advice the same version in whatever file it comes, another content another version', () => {
    const version = (inner: string, name: string) => {
      const file = parseAdviceFile(advices(inner), name)
      return file.state === 'read' ? file.records[0]?.version : file.reason
    }
    expect(version(one, 'a.xml')).toBe(version(`\n  ${one}\n`, 'b.xml'))
    expect(version(one, 'a.xml')).not.toBe(version(one.replace('picked', 'packed'), 'a.xml'))
  })

  it('sets aside the advice that names no unit; the others go on', () => {
    const file = parseAdviceFile(
      advices(`${one}<Advice><Status>packed</Status></Advice><Advice>text</Advice>${one.replace('u1', 'u2')}`),
      'a.xml',
    )
    expect(file).toMatchObject({
      state: 'read',
      records: [{ externalId: 'u1' }, { externalId: 'u2' }],
      bad: [{ position: 2 }, { position: 3 }],
    })
    expect(file.state === 'read' && file.bad[0]?.reason).toContain('UnitId is missing')
  })

  it('takes a file without advices as read', () => {
    expect(parseAdviceFile(advices(''), 'a.xml')).toEqual({ state: 'read', records: [], bad: [] })
    expect(parseAdviceFile(Buffer.from('<ShipmentAdvices/>'), 'a.xml')).toEqual({ state: 'read', records: [], bad: [] })
  })

  it('waits for the end of a file that breaks off, wherever it does', () => {
    const whole = advices(one.replace('u1', '單位甲'))
    const closing = whole.lastIndexOf('</ShipmentAdvices>')
    for (let length = 0; length < closing + '</ShipmentAdvices>'.length; length++)
      expect(parseAdviceFile(whole.subarray(0, length), 'a.xml').state, `${length} bytes`).toBe('unfinished')
    expect(parseAdviceFile(whole.subarray(0, -1), 'a.xml').state).toBe('read')
  })

  it.each([
    ['mismatched tags', advices(one.replace('</UnitId>', '</UnitID>')), /line 2: Expected closing tag 'UnitId'/],
    ['another root', Buffer.from('<Orders><Advice/></Orders>'), /root element is Orders: it must be ShipmentAdvices/],
    ['another element within', advices('<Order/>'), /holds <Order>/],
    ['a DOCTYPE', Buffer.concat([Buffer.from('<!DOCTYPE x [<!ENTITY a "b">]>'), advices(one)]), /DOCTYPE/],
    ['UTF-16', Buffer.from('\ufeff<ShipmentAdvices/>', 'utf16le'), /UTF-16/],
    ['Big5 bytes', advices(one.replace('u1', 'X')).map((byte) => (byte === 0x58 ? 0xb3 : byte)), /not UTF-8/],
    ['a declared other encoding', Buffer.from('<?xml version="1.0" encoding="Big5"?><ShipmentAdvices/>'), /encoding is Big5/],
    ['a reserved name', advices('<__proto__><x>1</x></__proto__>'), /readable|holds/],
  ])('refuses %s and says why', (_what, bytes, reason) => {
    const file = parseAdviceFile(bytes, 'a.xml')
    expect(file.state).toBe('unreadable')
    expect(file.state === 'unreadable' && file.reason).toMatch(reason)
  })

  it('decodes character references and keeps out what PostgreSQL cannot store', () => {
    const file = parseAdviceFile(
      advices(one.replace('u1', '&#38515;&#x41;').replace('</Advice>', '<Reason>a&#0;b</Reason></Advice>')),
      'a.xml',
    )
    const record = file.state === 'read' ? file.records[0] : undefined
    expect(record?.externalId).toBe('陳A')
    expect(JSON.stringify(record?.payload)).not.toContain('\\u0000')
  })
})

describe('mapAdvice', () => {
  const payload = (more: Record<string, unknown> = {}) => ({
    UnitId: 'u1',
    Status: 'packed',
    EventAt: '2026-11-22T10:00:00+08:00',
    WeightGrams: '700',
    Lines: { Line: [{ LineId: '1', Picked: '2', Short: '1' }] },
    ...more,
  })

  it('maps counts, weight and reason', () => {
    expect(mapAdvice({ payload: payload({ Reason: '少一件' }) })).toEqual({
      unitId: 'u1',
      status: 'packed',
      lines: [{ lineId: '1', picked: 2, short: 1 }],
      weightGrams: 700,
      eventAt: '2026-11-22T10:00:00+08:00',
      reason: '少一件',
    })
  })

  it('takes an answer to a cancellation without lines', () => {
    expect(mapAdvice({ payload: payload({ Status: 'cancelled', Lines: '', WeightGrams: '', Reason: '' }) })).toMatchObject({
      lines: [],
      weightGrams: null,
      reason: null,
    })
  })

  it.each([
    [{ Status: 'PICKED!' }, /Status is "PICKED!": must be picked, packed/],
    [{ Lines: { Line: [{ LineId: '1', Picked: '2.5' }] } }, /Lines\.Line\[1\]\.Picked is "2\.5": must be a whole number/],
    [{ Lines: { Line: [{ LineId: '1', Picked: '-1' }] } }, /Picked is "-1"/],
    [
      {
        Lines: {
          Line: [
            { LineId: '1', Picked: '1' },
            { LineId: '1', Picked: '1' },
          ],
        },
      },
      /LineId "1" is there more than once/,
    ],
    [{ Lines: '' }, /packed without Lines/],
    [{ EventAt: '2026-11-22 10:00' }, /EventAt is "2026-11-22 10:00": must be a time with offset/],
    [{ EventAt: undefined }, /EventAt is nothing/],
    [{ WeightGrams: ['1', '2'] }, /WeightGrams/],
  ])('refuses %j with field, value and remedy', (more, message) => {
    const act = () => mapAdvice({ payload: payload({ ...more, file: 'advice-1.xml' }) })
    expect(act).toThrow(message)
    expect(act).toThrow(/file "advice-1\.xml"|file advice-1\.xml/)
    expect(act).toThrow(expect.objectContaining({ kind: 'Invalid', remedy: expect.stringContaining('again') }))
  })
})

it('is a connector of the registry', () => {
  const connector: Connector = wms as Connector
  expect(connector.name).toBe('wms-dropfolder')
  expect(wms.configSchema.parse({ outFolder: '/a', inFolder: '/b' })).toMatchObject({
    encoding: 'utf-8',
    unfinishedFileMs: 60_000,
  })
  expect(wms.configSchema.safeParse({ outFolder: '/a', inFolder: '/b', encoding: 'big5' }).success).toBe(false)
})
