/** What a connection can be told or asked, kept with its row, so that a statement can choose whom a fact concerns. */
import type { Pool } from './db.ts'

/** As much of a connector as is looked at; see Connector in connectors/kit/types.ts. */
export interface Sided {
  kind?: string
  acknowledgeOrder?: unknown
  writeTracking?: unknown
  writeDelivered?: unknown
  cancelOrder?: unknown
  refund?: unknown
  erp?: unknown
  notify?: unknown
  tracker?: { poll?: unknown } | undefined
  courier?: { track?: unknown } | undefined
  warehouse?: unknown
}

const SIDES = {
  pos: (c) => c.kind === 'pos',
  acknowledge: (c) => c.acknowledgeOrder !== undefined,
  tracking: (c) => c.writeTracking !== undefined,
  delivered: (c) => c.writeDelivered !== undefined,
  cancel: (c) => c.cancelOrder !== undefined,
  refund: (c) => c.refund !== undefined,
  erp: (c) => c.erp !== undefined,
  notify: (c) => c.notify !== undefined,
  tracker: (c) => c.tracker !== undefined,
  poll: (c) => c.tracker?.poll !== undefined,
  track: (c) => c.courier?.track !== undefined,
  warehouse: (c) => c.warehouse !== undefined,
} satisfies Record<string, (connector: Sided) => boolean>

export type Side = keyof typeof SIDES

export const sidesOf = (connector: Sided): Side[] => (Object.keys(SIDES) as Side[]).filter((side) => SIDES[side](connector))

/** A newer version of a connector may have learned something since its connections were applied. */
export async function refreshSides(pool: Pool, connectorOf: (connection: string) => Promise<Sided>): Promise<void> {
  const { rows } = await pool.query<{ name: string }>('select name from connections')
  for (const { name } of rows) {
    const sides = await connectorOf(name).then(sidesOf, () => []) // a connector that is gone has no side
    await pool.query('update connections set sides = $2 where name = $1 and sides <> $2', [name, sides])
  }
}
