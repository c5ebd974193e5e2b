/** What a PDF of ours draws. Its text is glyphs of a font of its own: what can be read or compared is the drawing. */
import { inflateSync } from 'node:zlib'

/** The drawing operators of every page. */
export function drawings(pdf: Buffer): string[] {
  const found: string[] = []
  for (let at = pdf.indexOf('stream\n'); at >= 0; at = pdf.indexOf('stream\n', at + 1)) {
    if (pdf.subarray(at - 3, at).toString() === 'end') continue
    try {
      const text = inflateSync(pdf.subarray(at + 7, pdf.indexOf('\nendstream', at))).toString('latin1')
      if (text.startsWith('1 0 0 -1 0 ')) found.push(text)
    } catch {
      // A font's own stream: no drawing.
    }
  }
  return found
}
