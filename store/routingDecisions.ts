/** Every routing decision is kept with what was known when it was made. */
import type { RoutingDecision } from '../domain/routing/types.ts'
import type { Queryable } from './db.ts'
import type { OrderRecord } from './orderRecord.ts'
import type { Statement } from './owed.ts'

export type RoutingStage = 'reserve' | 'move' | 'again'

/** Goes out with the order's own write. */
export const decisionStatement = (
  record: Pick<OrderRecord, 'id' | 'settingsVersion'>,
  stage: RoutingStage,
  decision: RoutingDecision,
): Statement => ({
  name: 'keep-decision',
  text: `insert into routing_decisions (order_id, stage, settings_version, decision) values ($1, $2, $3, $4)`,
  values: [record.id, stage, record.settingsVersion, decision],
})

export interface KeptDecision {
  at: string
  stage: RoutingStage
  settingsVersion: number
  decision: RoutingDecision
}

export async function decisionsOf(db: Queryable, orderId: string): Promise<KeptDecision[]> {
  const { rows } = await db.query<KeptDecision>(
    `select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, stage, settings_version as "settingsVersion", decision
     from routing_decisions where order_id = $1 order by id`,
    [orderId],
  )
  return rows
}
