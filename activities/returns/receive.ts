/** Goods of a return are here: at any location, whole or in parts. */
import { OmnisagaError } from '../../domain/errors.ts'
import { dispositionFor } from '../../domain/returns.ts'
import type { Tx } from '../../store/db.ts'
import { changeOrder, type OrderRecord } from '../../store/orderRecord.ts'
import { oweStatements } from '../../store/owed.ts'
import { addReceived, productsOf, readReturn, updateReturn, type ReturnRow } from '../../store/returns.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { releaseExchange } from './exchange.ts'
import { disposeOf, leftToInspect, type Pieces } from './inspect.ts'

export interface Receipt {
  location: string
  /** Null: all that is still to come. */
  lines: { lineId: string; quantity: number }[] | null
}

/** @throws Rejected for a return whose goods are not expected; Invalid for pieces that were not asked back. */
export async function receiveReturn(runtime: Runtime, returnId: string, receipt: Receipt, by: string): Promise<ReturnRow> {
  const before = await readReturn(runtime.pool, returnId)
  await changeOrder(runtime.pool, before.orderId, 'world', async (record, tx) => {
    const row = await readReturn(tx, returnId)
    const came = arriving(row, receipt)
    if (came.length === 0) return
    const known = await tx.query('select from locations where id = $1', [receipt.location])
    if (known.rowCount === 0)
      throw new OmnisagaError('Invalid', `there is no location ${receipt.location}`, {
        code: 'location',
        remedy: 'Name a location of the configuration.',
      })
    await addReceived(tx, returnId, came)
    await updateReturn(tx, returnId, { state: 'received', location: receipt.location })
    await closeTasks(tx, { key: `return:${returnId}:receive` }, `received at ${receipt.location}`, by)
    await closeTasks(tx, { key: `return:${returnId}:overdue` }, `received at ${receipt.location}`, by)
    const after = await readReturn(tx, returnId)
    if (row.way !== 'cameBack') tellOfReceipt(record, after, came)
    await disposeByRule(runtime, tx, record, after, came)
  })
  await releaseExchange(runtime, returnId)
  return await readReturn(runtime.pool, returnId)
}

/** @returns nothing when all of it is here already: told twice, it is received once. */
function arriving(row: ReturnRow, { lines }: Receipt): { lineId: string; quantity: number }[] {
  if (row.state === 'done' && lines === null) return []
  if (!['approved', 'received', 'expired'].includes(row.state))
    throw new OmnisagaError('Rejected', `return ${row.id} is ${row.state}`, {
      code: 'returnState',
      remedy: row.state === 'asked' ? 'Approve it first.' : 'Ask for a new return.',
    })
  const open = row.lines.map(({ lineId, quantity, received }) => ({ lineId, quantity: quantity - received }))
  for (const { lineId, quantity } of lines ?? []) {
    const left = open.find((each) => each.lineId === lineId)?.quantity ?? 0
    if (quantity > left)
      throw new OmnisagaError('Invalid', `of line ${lineId} ${left} pieces are still to come, not ${quantity}`, {
        code: 'returnLines',
        remedy: 'Ask for another return for what was not asked back; what was received already is not received again.',
      })
  }
  return (lines ?? open).filter(({ quantity }) => quantity > 0)
}

function tellOfReceipt(record: OrderRecord, row: ReturnRow, came: Pieces[]): void {
  for (const { lineId, quantity } of came) record.line(lineId).returned += quantity
  const total = row.lines.reduce((sum, { received }) => sum + received, 0)
  const order = { id: record.id, connection: record.connection, channel: record.doc.channel }
  const became = { what: 'returned' as const, returned: { about: `${row.id}/${total}`, returnId: row.id, lines: came } }
  for (const statement of oweStatements(order, [became])) record.alsoWrite(statement)
  record.tellCustomer({ key: `${row.id}:received:${total}`, template: 'returnReceived' })
}

/** What a rule says of a product is done at once; the rest waits for a person's eyes. */
async function disposeByRule(runtime: Runtime, tx: Tx, record: OrderRecord, row: ReturnRow, came: Pieces[]): Promise<void> {
  const { returns: policy } = await runtime.policy()
  const skuOf = new Map(row.lines.map(({ lineId, sku }) => [lineId, sku]))
  const products = await productsOf(tx, [...new Set(skuOf.values())])
  const ruled = came.flatMap(({ lineId, quantity }) => {
    const product = products.find(({ sku }) => sku === skuOf.get(lineId))
    // A parcel that nobody opened is not judged by how customers send goods back.
    const disposition = product === undefined || row.way === 'cameBack' ? null : dispositionFor(policy, product)
    return disposition === null ? [] : [{ lineId, quantity, disposition, location: null, note: null }]
  })
  if (ruled.length > 0) await disposeOf(tx, record, row, { lines: ruled, refundMinor: null }, { by: 'rule', policy })
  const left = leftToInspect(await readReturn(tx, row.id))
  if (left.length > 0) await askForInspection(tx, record, row, left)
}

async function askForInspection(tx: Tx, record: OrderRecord, row: ReturnRow, left: Pieces[]): Promise<void> {
  await openTask(tx, {
    kind: 'return.inspect',
    key: `return:${row.id}:inspect`,
    orderId: record.id,
    connection: record.connection,
    subject: record.doc.externalId,
    title: `Inspect what came back at ${row.location}`,
    detail: `${left.map(({ lineId, quantity }) => `${quantity} × ${record.line(lineId).sku}`).join(', ')} of order ${record.doc.externalId}; said: ${row.reason}.`,
    remedy: 'restock, outlet, refurbish or scrap takes all of it; single pieces go by POST /api/v1/returns/ID/inspect.',
    field: 'return',
    value: row.id,
    actions: ['restock', 'outlet', 'refurbish', 'scrap'],
  })
}
