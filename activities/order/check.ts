/** Check: an order that cannot be right waits with a task that names the field and the remedy. */
import { checkOrder } from '../../domain/check.ts'
import type { OrderView } from '../../domain/view.ts'
import type { Queryable } from '../../store/db.ts'
import { changeOrder, incomingOf, type OrderRecord } from '../../store/orderRecord.ts'
import { openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { resolveListings } from '../stockLines.ts'

export async function check(runtime: Runtime, orderId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      if (record.is('checked')) return
      await resolveAliases(tx, record)
      await resolveListings(tx, record)
      const problems = checkOrder(incomingOf(record), { skus: await knownSkus(tx, record) })
      const prefix = `order:${record.id}:check:`
      await record.closeTasks(tx, { prefix }, 'looked at again')
      if (problems.length === 0) {
        record.withdraw('blocked')
        record.record('checked')
        return
      }
      record.record('blocked', { codes: problems.map((problem) => problem.code) })
      for (const problem of problems) {
        await openTask(tx, {
          kind: 'order.check',
          key: `${prefix}${problem.code}:${problem.field}`,
          orderId: record.id,
          connection: record.connection,
          subject: record.doc.externalId,
          title: problem.message,
          detail: `Order ${record.doc.externalId} waits, and nothing of it is picked: ${problem.message}.`,
          remedy: problem.remedy,
          field: problem.field,
          value: problem.value,
          actions: [
            ...(problem.code === 'unknownSku' && problem.value !== null ? (['chooseSku'] as const) : []),
            'change',
            'retry',
            'cancel',
          ],
        })
      }
    })
  ).view
}

/** A channel's own article number that a person or a file has named once is known for ever. */
async function resolveAliases(db: Queryable, record: OrderRecord): Promise<void> {
  const asked = record.lines.flatMap((line) => [line.sku, line.externalSku]).filter((sku) => sku !== null)
  const aliases = await db.query<{ external_sku: string; sku: string }>({
    name: 'aliases',
    text: 'select external_sku, sku from sku_aliases where channel = $1 and external_sku = any($2)',
    values: [record.doc.channel, asked],
  })
  const known = new Map(aliases.rows.map((row) => [row.external_sku, row.sku]))
  for (const line of record.lines) line.sku = known.get(line.sku ?? '') ?? known.get(line.externalSku ?? '') ?? line.sku
}

async function knownSkus(db: Queryable, record: OrderRecord): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ sku: string }>({
    name: 'known-skus',
    text: 'select sku from products where sku = any($1)',
    values: [record.lines.map((line) => line.sku ?? '')],
  })
  return new Set(rows.rows.map((row) => row.sku))
}
