/** The warehouse's side of the published format (to-warehouse.xsd, from-warehouse.xsd), read and written by its own means. */
import { SaxesParser } from 'saxes'

export interface Node {
  name: string
  text: string
  children: Node[]
}

/** @throws Error when the text is not well-formed. */
export function parseXml(xml: string): Node {
  const top: Node = { name: '', text: '', children: [] }
  const stack = [top]
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name }) => {
    const node: Node = { name, text: '', children: [] }
    stack.at(-1)?.children.push(node)
    stack.push(node)
  })
  parser.on('text', (text) => {
    const node = stack.at(-1)
    if (node !== undefined) node.text += text
  })
  parser.on('closetag', () => stack.pop())
  parser.write(xml).close()
  const [root] = top.children
  if (root === undefined) throw new Error('no root element')
  return root
}

export const childrenOf = (node: Node | undefined, name: string): Node[] =>
  node?.children.filter((child) => child.name === name) ?? []
export const childOf = (node: Node | undefined, name: string): Node | undefined => childrenOf(node, name)[0]
/** Text of a child; null when it is not there or empty. */
export const textOf = (node: Node | undefined, name: string): string | null => childOf(node, name)?.text || null

export interface OrderedLine {
  lineId: string
  sku: string
  name: string | null
  quantity: number
}
export interface OrderedUnit {
  unitId: string
  orderId: string
  orderNumber: string
  location: string
  priority: number
  notes: string | null
  askedTime: string | null
  recipientName: string | null
  recipientAddress: string | null
  lines: OrderedLine[]
}

/** @returns the order, or in plain words what a warehouse would phone about. */
export function readOrder(order: Node, location: string): OrderedUnit | string {
  const unitId = textOf(order, 'UnitId')
  const orderNumber = textOf(order, 'OrderNumber')
  const orderId = textOf(order, 'OrderId')
  if (unitId === null || orderNumber === null || orderId === null)
    return `order ${orderNumber ?? '?'} without UnitId, OrderId or OrderNumber`
  const priority = Number(textOf(order, 'Priority'))
  if (!Number.isInteger(priority)) return `unit ${unitId}: Priority is no whole number`
  if (childOf(order, 'Recipient') === undefined) return `unit ${unitId} without Recipient`
  if (textOf(childOf(order, 'Delivery'), 'Method') === null) return `unit ${unitId} without Delivery Method`
  const lines = childrenOf(childOf(order, 'Lines'), 'Line').map((line) => ({
    lineId: textOf(line, 'LineId') ?? '',
    sku: textOf(line, 'Sku') ?? '',
    name: textOf(line, 'Name'),
    quantity: Number(textOf(line, 'Quantity')),
  }))
  if (lines.length === 0) return `unit ${unitId} without Lines`
  const bad = lines.find(
    ({ lineId, sku, quantity }) => lineId === '' || sku === '' || !Number.isInteger(quantity) || quantity < 1,
  )
  if (bad !== undefined) return `unit ${unitId}: a line without LineId, Sku or a Quantity above zero`
  if (new Set(lines.map(({ lineId }) => lineId)).size < lines.length) return `unit ${unitId}: a LineId twice`
  const recipient = childOf(order, 'Recipient')
  return {
    unitId,
    orderId,
    orderNumber,
    location,
    priority,
    notes: textOf(order, 'Notes'),
    askedTime: textOf(order, 'AskedTime'),
    recipientName: textOf(recipient, 'Name'),
    recipientAddress: textOf(recipient, 'Address'),
    lines,
  }
}

export interface Advice {
  adviceId: string
  unitId: string
  status: 'picked' | 'packed' | 'shipped' | 'cancelled' | 'cancelRefused'
  /** ISO 8601. */
  eventAt: string
  weightGrams: number | null
  reason: string | null
  lines: { lineId: string; picked: number; short: number }[]
}

const escape = (text: string): string =>
  text.replace(/[&<>]/g, (character) => (character === '&' ? '&amp;' : character === '<' ? '&lt;' : '&gt;'))
const element = (name: string, value: string | number | null): string =>
  value === null ? '' : `<${name}>${escape(String(value))}</${name}>`

export function writeAdvices(advices: Advice[]): string {
  const bodies = advices.map(({ adviceId, unitId, status, eventAt, weightGrams, reason, lines }) => {
    const counted = lines
      .map(
        ({ lineId, picked, short }) =>
          `<Line>${element('LineId', lineId)}${element('Picked', picked)}${element('Short', short)}</Line>`,
      )
      .join('')
    return [
      '  <Advice>',
      element('AdviceId', adviceId),
      element('UnitId', unitId),
      element('Status', status),
      element('EventAt', eventAt),
      element('WeightGrams', weightGrams),
      element('Reason', reason),
      counted === '' ? '' : `<Lines>${counted}</Lines>`,
      '</Advice>\n',
    ].join('')
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ShipmentAdvices format="1">\n${bodies.join('')}</ShipmentAdvices>\n`
}
