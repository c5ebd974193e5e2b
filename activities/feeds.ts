/** Warehouse feeds: answers are made durable in the inbox before their files are moved away. */
import { storeRaw } from '../store/inbox.ts'
import { openTask } from '../store/tasks.ts'
import type { Runtime } from './runtime.ts'

/** @returns how many new answers were taken in. */
export async function readFeeds(runtime: Runtime): Promise<number> {
  const warehouses = await runtime.pool.query<{ name: string }>(
    `select distinct c.name from connections c join locations l on l.warehouse_connection = c.name
     left join connection_state s on s.connection = c.name where not c.paused and s.stopped_reason is null`,
  )
  let stored = 0
  const failures: unknown[] = []
  for (const { name } of warehouses.rows) {
    try {
      stored += await readFeed(runtime, name)
    } catch (error) {
      // One warehouse that cannot be reached holds up none of the others.
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return stored
}

async function readFeed(runtime: Runtime, name: string): Promise<number> {
  const { connector, context } = await runtime.connection(name)
  if (connector.warehouse === undefined) return 0
  const answers = await connector.warehouse.readAnswers(context)
  const { stored } = await storeRaw(runtime.pool, name, answers.records)
  for (const { file, reason } of answers.rejected) {
    await openTask(runtime.pool, {
      kind: 'feed.rejected',
      key: `feed:${name}:${file}`,
      connection: name,
      subject: file,
      title: `A file of ${name} cannot be read`,
      detail: `${file} was set aside: ${reason}`,
      remedy: 'Have the warehouse send it again.',
      actions: ['skip'],
    })
  }
  await answers.acknowledge()
  return stored
}
