/** An ERP in this process: it knows its documents by reference, refuses and fails as it is told to. */
import { z } from 'zod'
import type { Connector, ErpDocument, ErpReturn, ErpSale, ErpShipment } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'

/** `lost` does the work and loses the answer. */
export type ErpFate = 'ok' | 'down' | 'refuse' | 'lost'

export interface StandInErp {
  connector: Connector
  /** The fates of the next writes, in order; when they are used up, `otherwise` holds. */
  plan: { next: ErpFate[]; otherwise: ErpFate }
  sales: Map<string, ErpSale & { cancelled: boolean }>
  shipments: Map<string, ErpShipment>
  returns: Map<string, ErpReturn>
  /** Calls in order, e.g. `sale o-1`. */
  calls: string[]
}

const Config = z.object({ channels: z.array(z.string()).optional() })

export function standInErp(): StandInErp {
  const erp: Omit<StandInErp, 'connector'> = {
    plan: { next: [], otherwise: 'ok' },
    sales: new Map(),
    shipments: new Map(),
    returns: new Map(),
    calls: [],
  }
  function write<T>(call: string, work: () => T): T {
    erp.calls.push(call)
    const fate = erp.plan.next.shift() ?? erp.plan.otherwise
    if (fate === 'down') throw new OmnisagaError('Transient', 'the ERP cannot be reached', { code: 'ECONNREFUSED' })
    if (fate === 'refuse') throw new OmnisagaError('Rejected', 'the period is closed', { code: 'period' })
    const done = work()
    if (fate === 'lost') throw new OmnisagaError('OutcomeUnknown', 'no answer within 100 ms', { code: 'timeout' })
    return done
  }
  const document = (reference: string): ErpDocument => ({ id: `doc-${reference}`, number: `N-${reference}` })
  const connector: Connector = {
    name: 'stand-in-erp',
    title: 'An ERP',
    kind: 'erp',
    configSchema: Config,
    secretFields: [],
    check: () => Promise.resolve({ ok: true, problems: [] }),
    erp: {
      writeSale: async (_ctx, sale) =>
        write(`sale ${sale.reference}`, () => {
          if (!erp.sales.has(sale.reference)) erp.sales.set(sale.reference, { ...sale, cancelled: false })
          return document(sale.reference)
        }),
      writeShipment: async (_ctx, shipment) =>
        write(`shipment ${shipment.reference}`, () => {
          if (!erp.sales.has(shipment.saleReference)) throw new OmnisagaError('Transient', 'no such sale', { code: 'no-sale' })
          erp.shipments.set(shipment.reference, shipment)
          return document(shipment.reference)
        }),
      cancelSale: async (_ctx, { reference }) =>
        write(`cancel ${reference}`, () => {
          const sale = erp.sales.get(reference)
          if (sale) sale.cancelled = true
        }),
      writeReturn: async (_ctx, goods) =>
        write(`return ${goods.reference}`, () => {
          erp.returns.set(goods.reference, goods)
          return document(goods.reference)
        }),
    },
  }
  return { ...erp, connector }
}
