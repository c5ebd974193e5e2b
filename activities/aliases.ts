/** An article of a channel gets its name here: known for ever, and the orders that waited for it go on. */
import { OmnisagaError } from '../domain/errors.ts'
import { isProduct, ordersWaitingFor, setAlias, type Alias } from '../store/aliases.ts'
import { giveCommand } from '../store/commands.ts'
import { getOrder } from '../store/orders.ts'
import { closeTasks } from '../store/tasks.ts'
import { ask } from './ask.ts'
import { ring } from './engine.ts'
import type { Runtime } from './runtime.ts'

/** These are waited for, side by side; the others are rung and go on by themselves. */
const ANSWERS_AWAITED = 8

export interface AliasSet extends Alias {
  /** False when it said so already. */
  changed: boolean
  /** Orders that waited for the article and were asked to go on. */
  orders: string[]
}

/** @throws OmnisagaError Invalid when there is no such product here. */
export async function chooseSku(runtime: Runtime, alias: Alias, who: string, taskId?: number): Promise<AliasSet> {
  const { pool } = runtime
  if (!(await isProduct(pool, alias.sku))) {
    throw new OmnisagaError('Invalid', `There is no product ${JSON.stringify(alias.sku)}.`, {
      code: 'unknownSku',
      remedy: 'Name a SKU that the configuration has among its products, or add the product first.',
    })
  }
  const changed = await setAlias(pool, alias)
  // Before the orders are looked at again: that would close the task without saying who it was.
  if (taskId !== undefined) await closeTasks(pool, { id: taskId }, `${alias.externalSku} is ${alias.sku}`, who)
  const orders = await ordersWaitingFor(pool, alias.channel, alias.externalSku)
  const commands: string[] = []
  for (const orderId of orders) commands.push((await giveCommand(pool, { orderId, verb: 'retry', who })).id)
  await Promise.all(commands.slice(0, ANSWERS_AWAITED).map((id) => ask(runtime, id)))
  for (const orderId of orders.slice(ANSWERS_AWAITED)) {
    await ring(runtime, orderId).catch((error: Error) =>
      runtime.log.warn({ orderId, error: error.name }, 'the engine is away, the sweep will ring'),
    )
  }
  return { ...alias, changed, orders }
}

/** The same from a task that says which article is not known. @throws OmnisagaError Invalid when the task is about no article. */
export async function chooseSkuOfTask(
  runtime: Runtime,
  task: { id: number; orderId: string | null; field: string | null },
  sku: unknown,
  who: string,
): Promise<AliasSet> {
  const index = /^lines\[(\d+)\]\.sku$/.exec(task.field ?? '')?.[1]
  const order = task.orderId === null ? null : await getOrder(runtime.pool, task.orderId)
  const line = index === undefined ? undefined : order?.lines[Number(index)]
  const externalSku = line?.sku ?? line?.externalSku
  if (!order || !externalSku)
    throw new OmnisagaError('Invalid', 'This task is about no article that could be named.', {
      code: 'noArticle',
      remedy: 'Change the line instead: omnisaga task ID change --set lines[0].sku=SKU',
    })
  if (typeof sku !== 'string' || sku === '')
    throw new OmnisagaError('Invalid', `Say what ${externalSku} is called here.`, {
      code: 'missing',
      remedy: 'Send {"sku": "..."}, or --set sku=SKU.',
    })
  return await chooseSku(runtime, { channel: order.channel, externalSku, sku }, who, task.id)
}
