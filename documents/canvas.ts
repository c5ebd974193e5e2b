/** Drawing on paper: text in Chinese, Code 128 and QR as vectors, in millimetres from the upper left corner. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import bwipjs from 'bwip-js'
import PDFDocument from 'pdfkit'

const POINTS_PER_MM = 72 / 25.4
const fonts = dirname(createRequire(import.meta.url).resolve('@expo-google-fonts/noto-sans-tc/package.json'))
const REGULAR = join(fonts, '400Regular/NotoSansTC_400Regular.ttf')
const BOLD = join(fonts, '700Bold/NotoSansTC_700Bold.ttf')
/** Stands where the font has no character: a name with a rare one stays readable, and nobody takes it for whole. */
const MISSING = '〓'
/** What each side of a symbol must leave white, in modules (ISO/IEC 15417 and 18004). */
const CODE128_QUIET = 10
const QR_QUIET = 4

export interface Page {
  widthMm: number
  heightMm: number
}
export interface TextStyle {
  /** In points. @default 9 */
  size?: number
  bold?: boolean
  align?: 'left' | 'center' | 'right'
  /** Lines that do not fit are cut with an ellipsis. @default 1 */
  lines?: number
}

interface Font {
  hasGlyphForCodePoint(codePoint: number): boolean
}

export class Canvas {
  readonly #doc: PDFKit.PDFDocument
  readonly #chunks: Buffer[] = []
  readonly #page: Page
  #pages = 0

  /** @param now the document's own date; the same content at the same time gives the same bytes. */
  constructor(page: Page, info: { title: string; now: Date }) {
    this.#page = page
    this.#doc = new PDFDocument({
      size: [page.widthMm * POINTS_PER_MM, page.heightMm * POINTS_PER_MM],
      margin: 0,
      autoFirstPage: false,
      info: { Title: info.title, CreationDate: info.now, Producer: 'Omnisaga', Creator: 'Omnisaga' },
    })
    this.#doc.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
    this.#doc.registerFont('regular', REGULAR)
    this.#doc.registerFont('bold', BOLD)
  }

  get pages(): number {
    return this.#pages
  }

  addPage(): void {
    this.#doc.addPage()
    this.#pages += 1
  }

  /** @returns the height it took, in millimetres. */
  text(value: string, x: number, y: number, width: number, style: TextStyle = {}): number {
    const { size = 9, bold = false, align = 'left', lines = 1 } = style
    this.#doc.font(bold ? 'bold' : 'regular').fontSize(size)
    const lineHeight = this.#doc.currentLineHeight(true)
    const options = { width: width * POINTS_PER_MM, align, height: lineHeight * lines + 0.5, ellipsis: '…', lineBreak: true }
    const shown = this.#printable(value.replace(/\s*\n\s*/g, lines > 1 ? '\n' : ' '))
    const height = Math.min(this.#doc.heightOfString(shown || ' ', options), lineHeight * lines)
    this.#doc.fillColor('black').text(shown, x * POINTS_PER_MM, y * POINTS_PER_MM, options)
    return height / POINTS_PER_MM
  }

  line(x1: number, y1: number, x2: number, y2: number, widthMm = 0.2): void {
    this.#doc
      .lineWidth(widthMm * POINTS_PER_MM)
      .moveTo(x1 * POINTS_PER_MM, y1 * POINTS_PER_MM)
      .lineTo(x2 * POINTS_PER_MM, y2 * POINTS_PER_MM)
      .stroke()
  }

  box(x: number, y: number, width: number, height: number, widthMm = 0.3): void {
    this.#doc
      .lineWidth(widthMm * POINTS_PER_MM)
      .rect(x * POINTS_PER_MM, y * POINTS_PER_MM, width * POINTS_PER_MM, height * POINTS_PER_MM)
      .stroke()
  }

  /** Fills the width, quiet zones included. @throws RangeError for characters that Code 128 does not have. */
  code128(value: string, x: number, y: number, width: number, height: number): void {
    // Printable ASCII only: Chinese in a bar code is a mistake of whoever made the number.
    if (!/^[\x20-\x7e]+$/.test(value)) throw new RangeError(`a bar code cannot hold ${JSON.stringify(value)}`)
    const [symbol] = bwipjs.raw('code128', value) as unknown as { sbs: number[] }[]
    const widths = symbol?.sbs ?? []
    const module = width / (widths.reduce((sum, each) => sum + each, 0) + 2 * CODE128_QUIET)
    let at = x + CODE128_QUIET * module
    widths.forEach((modules, index) => {
      if (index % 2 === 0) this.#fill(at, y, modules * module, height)
      at += modules * module
    })
  }

  qr(value: string, x: number, y: number, side: number): void {
    const [symbol] = bwipjs.raw('qrcode', value, 'eclevel=M') as unknown as { pixs: number[]; pixx: number }[]
    const { pixs = [], pixx = 1 } = symbol ?? {}
    const module = side / (pixx + 2 * QR_QUIET)
    pixs.forEach((dark, index) => {
      const column = index % pixx
      const row = Math.floor(index / pixx)
      // A hair wider, so that no white line shows between neighbours.
      if (dark) this.#fill(x + (QR_QUIET + column) * module, y + (QR_QUIET + row) * module, module * 1.02, module * 1.02)
    })
  }

  async finish(): Promise<Buffer> {
    if (this.#pages === 0) this.addPage()
    const ended = new Promise<void>((resolve, reject) => {
      this.#doc.once('end', resolve)
      this.#doc.once('error', reject)
    })
    this.#doc.end()
    await ended
    return Buffer.concat(this.#chunks)
  }

  get page(): Page {
    return this.#page
  }

  #fill(x: number, y: number, width: number, height: number): void {
    this.#doc
      .rect(x * POINTS_PER_MM, y * POINTS_PER_MM, width * POINTS_PER_MM, height * POINTS_PER_MM)
      .fillColor('black')
      .fill()
  }

  #printable(value: string): string {
    const font = (this.#doc as unknown as { _font: { font: Font } })._font.font
    return [...value.normalize('NFC')]
      .map((char) => (char === '\n' || font.hasGlyphForCodePoint(char.codePointAt(0) ?? 0) ? char : MISSING))
      .join('')
  }
}
