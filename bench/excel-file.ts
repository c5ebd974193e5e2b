/** The benchmark's workbook: rows × 25 columns of Chinese text as Excel writes it (shared strings), made once and kept. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zipOf, xlsxParts } from '../samples/zip.ts'

export const COLUMNS = 25
const ROADS = [
  '中山北路二段',
  '忠孝東路四段',
  '民生路',
  '和平西路三段',
  '文心南路',
  '五福一路',
  '自由路',
  '光復南路',
  '復興街',
  '大同路',
]
const CITIES = [
  '臺北市大安區',
  '新北市板橋區',
  '桃園市中壢區',
  '臺中市西屯區',
  '臺南市東區',
  '高雄市左營區',
  '新竹市東區',
  '花蓮縣花蓮市',
]
const GOODS = ['無線吸塵器', '陶瓷保溫杯', '純棉四季被', '有機烏龍茶', '不鏽鋼炒鍋', '兒童防蚊外套', '登山健行鞋', '保濕精華液']
const COLOURS = ['霧面黑', '珍珠白', '櫻花粉', '湖水藍', '森林綠', '堃峯限定', '喆紅']
const SURNAMES = '陳林黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴周'
const GIVEN = '志明春嬌家豪淑芬雅婷俊傑怡君建宏美玲宗翰欣怡冠宇'

const pick = <T>(list: ArrayLike<T>, n: number): T => list[n % list.length] as T
const at = (column: number) => String.fromCharCode(65 + column)

/** Eight columns differ in every row, the others repeat: what an order export looks like. */
function cellText(row: number, column: number): string {
  switch (column) {
    case 0:
      return `訂單${String(260000000000 + row * 7)}`
    case 1:
      return `${pick(SURNAMES, row * 7)}${pick(GIVEN, row * 3)}${pick(GIVEN, row * 5 + 1)}${row % 977}`
    case 2:
      return `${pick(CITIES, row)}${pick(ROADS, row * 3)}${(row % 400) + 1}號${(row % 23) + 1}樓之${row % 9}`
    case 3:
      return `備註：請於${(row % 12) + 1}月${(row % 28) + 1}日前送達，管理室代收第${row}件`
    case 4:
      return `${pick(GOODS, row)}（${pick(COLOURS, row * 3)}）第${row % 5000}批`
    case 5:
      return `買家帳號${row * 13}`
    case 6:
      return `追蹤編號九${row * 17}`
    case 7:
      return `${pick(GOODS, row * 11)}與${pick(GOODS, row * 5 + 2)}組合${row % 20000}`
    default:
      return `${pick(GOODS, row + column * 3)}${pick(COLOURS, row * column)}第${(row * column) % 60}款`
  }
}

function build(rows: number): Buffer {
  const strings = new Map<string, number>()
  const sheet: Buffer[] = [Buffer.from('<sheetData>')]
  const indexOf = (text: string) => {
    const known = strings.get(text)
    if (known !== undefined) return known
    strings.set(text, strings.size)
    return strings.size - 1
  }
  for (let row = 1; row <= rows; row++) {
    let xml = `<row r="${row}" spans="1:${COLUMNS}">`
    for (let column = 0; column < COLUMNS; column++) {
      const text = row === 1 ? `欄位${column}` : cellText(row, column)
      xml += `<c r="${at(column)}${row}" s="1" t="s"><v>${indexOf(text)}</v></c>`
    }
    sheet.push(Buffer.from(`${xml}</row>`))
  }
  sheet.push(Buffer.from('</sheetData>'))
  const table: Buffer[] = []
  for (const text of strings.keys()) table.push(Buffer.from(`<si><t>${text}</t></si>`))
  const parts = xlsxParts({
    sheets: [{ name: '訂單', xml: '@' }],
    strings: '@',
    styles: '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="49"/></cellXfs>',
  })
  const fill = (name: string, body: Buffer[]) => {
    const [before = '', after = ''] = String(parts[name]).split('@')
    parts[name] = Buffer.concat([Buffer.from(before), ...body, Buffer.from(after)])
  }
  fill('xl/worksheets/sheet1.xml', sheet)
  fill('xl/sharedStrings.xml', table)
  return zipOf(parts)
}

/** @returns the file's path; made when it is not there yet. */
export function benchmarkWorkbook(rows: number): string {
  const folder = join(tmpdir(), 'omnisaga-bench')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `orders-${rows}x${COLUMNS}-v1.xlsx`)
  if (!existsSync(path)) {
    writeFileSync(`${path}.${process.pid}`, build(rows))
    renameSync(`${path}.${process.pid}`, path)
  }
  return path
}
