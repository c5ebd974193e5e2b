/** Reads one workbook and prints what it took; a process of its own, so that the peak is the reader's. */
import { openWorkbook } from '../mappings/files/open.ts'

const [path = ''] = process.argv.slice(2)
const started = performance.now()
const workbook = await openWorkbook({ path })
let rows = 0
let characters = 0
for (const sheet of workbook.sheets) {
  for await (const row of sheet.rows()) {
    rows++
    for (const cell of row.cells) if (typeof cell === 'string') characters += cell.length
  }
}
workbook.close()
const seconds = (performance.now() - started) / 1000
process.stdout.write(JSON.stringify({ rows, characters, seconds, peakMb: process.resourceUsage().maxRSS / 1024 }))
