/** A connection that cannot work as it is configured: nothing more is asked of it, and one task tells the engineer. */
import type { OmnisagaError } from '../domain/errors.ts'
import { stopConnection, stoppedTaskKey } from '../store/connections.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import type { Pool } from '../store/db.ts'

/** What waits for it goes on by itself once a configuration is applied. */
export async function stopAndTell(pool: Pool, connection: string, error: OmnisagaError): Promise<void> {
  if (!(await stopConnection(pool, connection, error.message))) return
  await openTask(pool, {
    kind: 'connection.stopped',
    key: stoppedTaskKey(connection),
    connection,
    subject: connection,
    title: `Connection ${connection} is stopped`,
    detail: error.message,
    remedy: `${error.remedy ?? 'Correct its configuration.'} Then apply the file again (omnisaga connections apply): what waits goes on by itself.`,
    actions: ['skip'],
  })
  // An engineer may have applied a configuration between the two statements.
  const { rowCount } = await pool.query('select 1 from connection_state where connection = $1 and stopped_reason is not null', [
    connection,
  ])
  if (rowCount === 0) await closeTasks(pool, { key: stoppedTaskKey(connection) }, 'applied again')
}
