/** Our word on a return that was asked for at the channel. */
import type { Tx } from '../../store/db.ts'
import type { OrderRecord } from '../../store/orderRecord.ts'
import type { ReturnRow } from '../../store/returns.ts'
import { openTask } from '../../store/tasks.ts'

/** No channel of ours takes our word on a return by a call that is documented: a person says it there. */
export async function tellChannel(tx: Tx, record: OrderRecord, row: ReturnRow, word: string): Promise<void> {
  if (row.channel === null) return
  await openTask(tx, {
    kind: 'return.channel',
    key: `return:${row.id}:channel`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: `Say at the channel that the return is ${word}`,
    detail: `Return ${row.channel.number} of order ${record.doc.externalId} is ${row.channel.status} at ${record.doc.channel} and ${word} here.`,
    remedy: "Answer it in the channel's back office; the task closes by itself when the channel says so, or say done.",
    field: 'return',
    value: row.channel.number,
    actions: ['done', 'skip'],
  })
}
