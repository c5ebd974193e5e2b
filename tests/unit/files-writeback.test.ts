import iconv from 'iconv-lite'
import * as XLSX from '@e965/xlsx'
import { describe, expect, it } from 'vitest'
import { readOrders, writeBack } from '../../mappings/files/index.ts'
import { profileOf } from '../../mappings/profiles/index.ts'
import { parseLayout, profileOfLayout } from '../../mappings/profiles/layout.ts'
import { layoutFiles, layoutOrders, pchomeFile } from '../../samples/layouts.ts'
import { bytesSource, refused } from './files-helpers.ts'

const orders = layoutOrders(3)
const updates = [{ externalId: orders[1]!.externalId, waybill: '905-1', carrier: '黑貓宅急便' }]
const cells = (bytes: Buffer) => {
  const book = XLSX.read(bytes, { type: 'buffer' })
  return XLSX.utils.sheet_to_json<string[]>(book.Sheets[book.SheetNames[0]!]!, { header: 1, raw: false, defval: '' })
}

describe('tracking numbers into the file that was uploaded', () => {
  it("fills PChome's workbook in every row of the order, and says before whether a file can be filled", async () => {
    const before = pchomeFile(orders)
    expect(await readOrders(bytesSource(before), {})).toMatchObject({ profile: 'pchome', takesWaybills: true })
    const after = await writeBack(before, profileOf('pchome'), updates)
    const [was, is] = [cells(before), cells(after)]
    expect(is.map((row) => row.slice(0, -2))).toEqual(was.map((row) => row.slice(0, -2)))
    expect(is.map((row) => row.slice(-2))).toEqual([
      ['物流公司', '配送單號'],
      ['', ''],
      ['黑貓宅急便', '905-1'],
      ['黑貓宅急便', '905-1'],
      ['', ''],
    ])
    expect((await writeBack(after, profileOf('pchome'), updates)).equals(after)).toBe(true)
    expect(await readOrders(bytesSource(layoutFiles['shopline']!(orders).bytes), {})).toMatchObject({ takesWaybills: false })
  })

  it.each(['utf8', 'big5', 'utf16le'])('fills the CSV of a taught layout in %s, and nothing else of it', async (encoding) => {
    const layout = parseLayout(
      'name: my-shop\ncolumns: {orderNumber: 單號, sku: 貨號, quantity: 數量, recipientName: 收件人, phone: 電話, address: 地址, notes: 備註}\nwriteBack: {waybill: 托運單號, carrier: 物流商}',
    )
    const text = (carrier: string, waybill: string) =>
      [
        '單號,貨號,數量,收件人,電話,地址,備註,物流商,托運單號',
        'A-1,CAP,1,許功蓋,0900000001,臺北市信義區測試路1號,"請勿,按鈴",,',
        `A-2,CAP,1,測試人,0900000001,臺北市信義區測試路1號,,${carrier},${waybill}`,
        '',
      ].join('\r\n')
    const encode = (each: string) => iconv.encode(each, encoding, { addBOM: encoding === 'utf16le' })
    const before = encode(text('', ''))
    expect(await readOrders(bytesSource(before), { layouts: [layout] })).toMatchObject({
      profile: 'my-shop',
      takesWaybills: true,
    })
    const after = await writeBack(before, profileOfLayout(layout), [
      { externalId: 'A-2', sku: 'CAP', waybill: '905-2', carrier: '宅配通' },
    ])
    expect(after.equals(encode(text('宅配通', '905-2')))).toBe(true)
  })

  it('refuses a file that lacks the cells, an order that is not in it, and a profile that sends nothing back', async () => {
    const generic = layoutFiles['generic']!(orders).bytes
    expect(await refused(() => writeBack(generic, profileOf('generic'), updates))).toMatchObject({ code: 'missingColumns' })
    expect(
      await refused(() =>
        writeBack(pchomeFile(orders), profileOf('pchome'), [{ externalId: 'NONE', waybill: '1', carrier: 'C' }]),
      ),
    ).toMatchObject({ code: 'notInWorkbook' })
    expect(await refused(() => writeBack(generic, profileOf('payeasy'), updates))).toMatchObject({ code: 'noWriteBack' })
  })
})
