/** Buyers are asked for what is nowhere to be had: one task with every article, asked again only when more is needed than they know. */
import { listPurchaseRequests, toldBuyers, type PurchaseRequest } from '../../store/backorders.ts'
import { transaction } from '../../store/db.ts'
import { closeTasks, listTasks, openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'

const KEY = 'stock:purchase'
const SHOWN = 20

/** Part of the sweep, one at a time. Repeating it changes nothing. */
export async function askBuyers(runtime: Runtime): Promise<void> {
  const { pool } = runtime
  const wanted = (await listPurchaseRequests(pool, { state: 'open' })).sort((a, b) => a.sku.localeCompare(b.sku))
  const [open] = await listTasks(pool, { kind: 'stock.purchase', state: 'open', limit: 1 })
  if (wanted.length === 0) {
    await closeTasks(pool, { key: KEY }, 'nothing is to be bought any more')
    return
  }
  const isNews = wanted.some(({ quantity, toldQuantity }) => quantity > (toldQuantity ?? 0))
  const detail = `${listOf(wanted)}.`
  if (!isNews && (open === undefined || open.detail === detail)) return
  await transaction(pool, async (tx) => {
    await openTask(tx, {
      kind: 'stock.purchase',
      key: KEY,
      subject: `${wanted.length} ${wanted.length === 1 ? 'article' : 'articles'}`,
      title: 'Orders wait for goods that are nowhere to be had',
      detail,
      remedy:
        'Order them; omnisaga purchases --csv FILE gives the list. Say when they come (omnisaga receipts import FILE), then skip. The orders go on by themselves when the goods are there.',
      actions: ['skip'],
    })
    await toldBuyers(tx, wanted)
  })
}

const listOf = (wanted: readonly PurchaseRequest[]): string => {
  const shown = wanted
    .slice(0, SHOWN)
    .map(({ sku, quantity, orders }) => `${quantity} × ${sku} for ${orders} ${orders === 1 ? 'order' : 'orders'}`)
  return [...shown, ...(wanted.length > SHOWN ? [`and ${wanted.length - SHOWN} articles more`] : [])].join(', ')
}

const cell = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** For a spreadsheet: RFC 4180, with the mark by which Excel knows UTF-8. */
export function purchasesCsv(wanted: readonly PurchaseRequest[]): string {
  const rows = wanted.map(({ sku, name, quantity, orders, openedAt }) => [sku, name, quantity, orders, openedAt.slice(0, 10)])
  return `\uFEFF${[['sku', 'name', 'quantity', 'orders', 'since'], ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`
}
