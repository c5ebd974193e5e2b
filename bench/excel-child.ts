/** Reads one workbook and prints what it took; a process of its own, so that the peak is the reader's. With `orders` it maps too. */
import { openWorkbook } from '../mappings/files/open.ts'
import { streamOrders } from '../mappings/files/read.ts'

const [path = '', what = 'rows'] = process.argv.slice(2)
const started = performance.now()
let rows = 0
let characters = 0
let orders = 0
if (what === 'orders') {
  const summary = await streamOrders(
    { path },
    {},
    {
      batch: async (batch) => {
        orders += batch.orders.length
        for (const { order } of batch.orders) characters += order.externalId.length
      },
    },
  )
  rows = summary.rows
} else {
  const workbook = await openWorkbook({ path })
  for (const sheet of workbook.sheets) {
    for await (const row of sheet.rows()) {
      rows++
      for (const cell of row.cells) if (typeof cell === 'string') characters += cell.length
    }
  }
  workbook.close()
}
const seconds = (performance.now() - started) / 1000
process.stdout.write(JSON.stringify({ rows, orders, characters, seconds, peakMb: process.resourceUsage().maxRSS / 1024 }))
