/** orders */
import type { OrderSummary } from '../../store/orders.ts'
import { listOrders } from '../../store/orders.ts'
import type { ExitCode } from '../exit.ts'
import { dim, localTime, print, printJson, table, yellow, type Column } from '../output/text.ts'
import { phasePaint } from '../output/phase.ts'
import { withRuntime } from '../session.ts'

export interface OrdersOptions {
  phase?: string
  channel?: string
  limit: number
  json?: boolean
}

const COLUMNS: Column<OrderSummary>[] = [
  { title: 'ORDER', of: (order) => order.id },
  { title: 'NUMBER', of: (order) => order.externalId, most: 30 },
  { title: 'CHANNEL', of: (order) => order.channel },
  { title: 'KIND', of: (order) => order.kind },
  { title: 'PHASE', of: (order) => order.phase, paint: (text, order) => phasePaint(order.phase)(text) },
  { title: 'PLACED', of: (order) => localTime(order.placedAt) },
  { title: 'CHANGED', of: (order) => localTime(order.updatedAt) },
  { title: 'TASKS', of: (order) => order.openTasks || '', right: true, paint: (text) => yellow(text) },
]

/** The pages of a database answer at most this many rows each. */
const PAGE = 500

export async function orders({ phase, channel, limit, json }: OrdersOptions): Promise<ExitCode> {
  const found: OrderSummary[] = []
  const more = await withRuntime(async ({ pool }) => {
    let before: string | null = null
    do {
      const page = await listOrders(pool, {
        ...(phase && { phase }),
        ...(channel && { channel }),
        ...(before && { before }),
        limit: Math.min(PAGE, limit - found.length),
      })
      found.push(...page.orders)
      before = page.next
    } while (before !== null && found.length < limit)
    return before !== null
  })
  if (json) {
    printJson({ orders: found, more })
    return 0
  }
  print(found.length === 0 ? 'No orders.' : table(found, COLUMNS))
  if (more) print(dim(`The newest ${found.length}; --limit shows more.`))
  return 0
}
