/** An .xlsx package: which sheets it has, their styles and texts (ECMA-376 Part 1, 18.2, 18.8; Part 2 for relations). */
import { posix } from 'node:path'
import { SaxesParser } from 'saxes'
import { damaged, orDamaged, unreadable } from '../errors.ts'
import { isDateFormat, zeroPadding } from '../dates.ts'
import type { NumberStyle } from '../dates.ts'
import type { FileSource, Limits, Sheet, SheetRow, Workbook } from '../types.ts'
import { openZip } from '../zip.ts'
import type { ZipParts } from '../zip.ts'
import { MergeLender, findMerges } from './merges.ts'
import { SheetScanner } from './sheet.ts'
import type { SheetContext } from './sheet.ts'
import { SharedStrings, readSharedStrings } from './strings.ts'

type Attributes = Record<string, string>
type Visit = (name: string, attributes: Attributes, parent: string) => void

/** Opens the package and reads all but the rows. @throws OmnisagaError Invalid for what is no workbook. */
export async function openXlsx(source: FileSource, limits: Limits, encrypted = false): Promise<Workbook> {
  const zip = await openZip(source, limits)
  try {
    return await describe(zip, limits, encrypted)
  } catch (error) {
    zip.close()
    throw error
  }
}

async function describe(zip: ZipParts, limits: Limits, encrypted: boolean): Promise<Workbook> {
  const main = await mainPart(zip, limits)
  const relations = await relationsOf(zip, main, limits)
  const sheets: { name: string; path: string; hidden: boolean }[] = []
  let date1904 = false
  await visit(zip, main, limits, (name, attributes) => {
    if (name === 'workbookPr') date1904 = isTrue(attributes.date1904)
    if (name !== 'sheet') return
    const target = relations.get(attributes.id ?? '')
    if (target === undefined || !target.type.endsWith('/worksheet')) return
    const state = attributes.state ?? 'visible'
    sheets.push({ name: attributes.name ?? '', path: target.path, hidden: state !== 'visible' })
  })
  if (sheets.length === 0)
    throw unreadable('noSheet', 'The workbook has no worksheet.', 'Export the file again from the channel.')
  const byType = (type: string) => [...relations.values()].find((relation) => relation.type.endsWith(`/${type}`))?.path
  const stylesPath = byType('styles')
  const styles = stylesPath !== undefined && zip.has(stylesPath) ? await readStyles(zip, stylesPath, limits) : []
  const stringsPath = byType('sharedStrings')
  let strings: Promise<SharedStrings> | undefined
  const context = async (): Promise<SheetContext> => {
    strings ??=
      stringsPath !== undefined && zip.has(stringsPath)
        ? readSharedStrings(zip.open(stringsPath, limits.maxSharedStringBytes), limits)
        : Promise.resolve(new SharedStrings(limits))
    return { strings: await strings, styles, date1904, limits }
  }
  return {
    format: 'xlsx',
    encrypted,
    sheets: sheets
      .filter((sheet) => !sheet.hidden)
      .map(({ name, path }): Sheet => ({
        name,
        rows: () => readRows(zip, path, context, limits),
      })),
    hiddenSheets: sheets.filter((sheet) => sheet.hidden).map((sheet) => sheet.name),
    close: () => {
      zip.close()
    },
  }
}

async function* readRows(
  zip: ZipParts,
  path: string,
  context: () => Promise<SheetContext>,
  limits: Limits,
): AsyncGenerator<SheetRow> {
  // This pass also meets size bombs before any value is made.
  const lender = new MergeLender(await findMerges(zip.open(path, limits.maxSheetBytes), limits))
  const scanner = new SheetScanner(await context())
  for await (const piece of zip.open(path, limits.maxSheetBytes)) {
    scanner.push(piece)
    for (const row of scanner.take()) yield lender.apply(row)
  }
  scanner.end()
}

const isTrue = (text: string | undefined) => text === '1' || text === 'true'

/** Walks a small part. Names and attributes are local names; a DOCTYPE is refused. */
async function visit(zip: ZipParts, path: string, limits: Limits, onOpen: Visit): Promise<void> {
  const parser = new SaxesParser({ xmlns: true })
  const parents: string[] = []
  parser.on('doctype', () => {
    throw unreadable(
      'doctype',
      'The workbook carries a DOCTYPE, which no spreadsheet program writes; it is refused.',
      'Export the file again from the channel, or open it in Excel and save it anew.',
    )
  })
  parser.on('error', (error) => {
    throw damaged(`its part ${path} is not well-formed (${error.message.slice(0, 80)})`)
  })
  parser.on('opentag', (tag) => {
    const attributes: Attributes = {}
    for (const attribute of Object.values(tag.attributes)) attributes[attribute.local] = attribute.value
    onOpen(tag.local, attributes, parents.at(-1) ?? '')
    parents.push(tag.local)
  })
  parser.on('closetag', () => {
    parents.pop()
  })
  const decoder = new TextDecoder('utf-8', { fatal: true })
  await orDamaged(`its part ${path}`, async () => {
    for await (const piece of zip.open(path, limits.maxSmallPartBytes)) parser.write(decoder.decode(piece, { stream: true }))
    parser.write(decoder.decode())
    parser.close()
  })
}

interface Relation {
  type: string
  path: string
}

async function relationsOf(zip: ZipParts, part: string, limits: Limits): Promise<Map<string, Relation>> {
  const found = new Map<string, Relation>()
  const folder = posix.dirname(part)
  const path = part === '' ? '_rels/.rels' : posix.join(folder, '_rels', `${posix.basename(part)}.rels`)
  if (!zip.has(path)) return found
  await visit(zip, path, limits, (name, attributes) => {
    if (name !== 'Relationship' || attributes.TargetMode === 'External') return
    const target = (attributes.Target ?? '').replace(/\\/g, '/')
    found.set(attributes.Id ?? '', {
      type: attributes.Type ?? '',
      path: target.startsWith('/') ? target.slice(1) : posix.join(folder, target),
    })
  })
  return found
}

async function mainPart(zip: ZipParts, limits: Limits): Promise<string> {
  const main =
    [...(await relationsOf(zip, '', limits)).values()].find((relation) => relation.type.endsWith('/officeDocument'))?.path ??
    'xl/workbook.xml'
  if (!zip.has(main) || /\.bin$/i.test(main) || /^(word|ppt)\//i.test(main)) {
    throw unreadable(
      'wrongType',
      'This zip file is not an Excel workbook (.xlsx).',
      'Choose the order export itself; unpack it first when it came inside a zip; save .xlsb or .ods as .xlsx.',
    )
  }
  return main
}

async function readStyles(zip: ZipParts, path: string, limits: Limits): Promise<NumberStyle[]> {
  const formats = new Map<number, string>()
  const styles: NumberStyle[] = []
  await visit(zip, path, limits, (name, attributes, parent) => {
    if (name === 'numFmt' && parent === 'numFmts') formats.set(Number(attributes.numFmtId), attributes.formatCode ?? '')
    if (name !== 'xf' || parent !== 'cellXfs') return
    const id = Number(attributes.numFmtId ?? 0)
    const code = formats.get(id) ?? null
    styles.push({ isDate: isDateFormat(id, code), zeros: zeroPadding(code) })
  })
  return styles
}
