/** Reads one workbook and prints what it took; a process of its own, so that the peak is the reader's. With `orders` it maps too. */
import { existsSync, readFileSync } from 'node:fs'
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
process.stdout.write(JSON.stringify({ rows, orders, characters, seconds, peakMb: peakMb() }))

/** Of this process alone: where the system counts what the parent had before the start, its own high-water mark is asked for. */
function peakMb(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  const kilobytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS)
  return kilobytes / 1024
}
