/** What a subject must show, from what its connector can do: a capability that is not shown fails, one that is not there is a dash. */
import { configJsonSchema } from '../../connectors/kit/describe.ts'
import type { Connector } from '../../connectors/kit/types.ts'
import type { Stage } from './subject.ts'

/** Every call that changes something at the vendor, as a WriteCase names it. */
export const writesOf = (connector: Connector): string[] => {
  const { courier, warehouse, erp, notify, tracker, stock } = connector
  const all: [string, unknown][] = [
    ['acknowledgeOrder', connector.acknowledgeOrder],
    ['writeTracking', connector.writeTracking],
    ['writeDelivered', connector.writeDelivered],
    ['cancelOrder', connector.cancelOrder],
    ['refund', connector.refund],
    ['stock.push', stock?.push],
    ['courier.book', courier?.book],
    ['courier.bookReturn', courier?.bookReturn],
    ['courier.requestPickup', courier?.requestPickup],
    ['warehouse.sendWave', warehouse?.sendWave],
    ['warehouse.sendCancel', warehouse?.sendCancel],
    ['warehouse.sendLabel', warehouse?.sendLabel],
    ['erp.writeSale', erp?.writeSale],
    ['erp.writeShipment', erp?.writeShipment],
    ['erp.writeReturn', erp?.writeReturn],
    ['notify.send', notify?.send],
    ['tracker.register', tracker?.register],
  ]
  return all.flatMap(([name, defined]) => (defined === undefined ? [] : [name]))
}

/** `book`, `courier.book` and `courier.book FAMI` are all the same call. */
const isCase = (given: string, wanted: string): boolean => {
  const [first = ''] = given.split(/[^\w.]/)
  return first === wanted || first === wanted.split('.').at(-1)
}

/** @returns what is missing, in words; nothing when the subject shows all. */
export function missingFrom(connector: Connector, stage: Stage, usesTokens: boolean): string[] {
  const missing: string[] = []
  const want = (there: unknown, what: string) => {
    if (there === undefined) missing.push(what)
  }
  if (connector.pullOrders) want(stage.orders, 'orders: it pulls orders')
  if (connector.receiveWebhook) want(stage.webhook, 'webhook: it receives webhooks')
  for (const name of writesOf(connector))
    want(
      stage.writes?.find((write) => isCase(write.name, name)),
      `writes: a case ${name}`,
    )
  const reports = connector.courier !== undefined || connector.tracker !== undefined
  if (connector.mapOrder || connector.mapSale || reports || connector.warehouse)
    want(stage.lenient?.malformed, 'lenient.malformed: it maps records')
  if (connector.mapOrder) want(stage.lenient?.masked, 'lenient.masked: it maps orders')
  if (connector.pullOrders || reports) want(stage.lenient?.unknownStatus, 'lenient.unknownStatus: it reads statuses')
  const keys = configJsonSchema(connector).properties ?? {}
  const wantKey = (name: string, why: string) =>
    want((keys as Record<string, unknown>)[name], `the key ${name} in its configuration: ${why}`)
  if (connector.tracker) wantKey('follows', 'without it no parcel is registered')
  if (connector.tracker?.poll) wantKey('trackEveryMs', 'without it nothing is asked')
  if (usesTokens) want(stage.expireToken, 'expireToken: it keeps tokens')
  if (connector.pullOrders && stage.personalData.length === 0) missing.push('personalData: its orders hold some')
  if (connector.secretFields.length > 0 && stage.secrets.length === 0) missing.push('secrets: its configuration has some')
  if (connector.secretFields.length > 0 && stage.bad.length === 0)
    missing.push('bad: a configuration with which it does not work')
  return missing
}
