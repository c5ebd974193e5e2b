/** What the warehouse gets, as file name and text. Pure; the format is to-warehouse.xsd. The same thing twice is the same file. */
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { Wave, WaveUnit } from '../kit/types.ts'
import { documentOf, group, illegalCharacters, text } from './xml.ts'
import type { XmlChild, XmlElement } from './xml.ts'

export interface OutFile {
  fileName: string
  /** Text is written in UTF-8. */
  content: string | Buffer
}

const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** An id as part of a file name; one that holds other characters gets its hash, so that two never meet in one name. */
export function fileNameOf(kind: 'wave' | 'cancel' | 'label', id: string, format: 'xml' | 'csv' = 'xml'): string {
  if (PLAIN_NAME.test(id)) return `${kind}-${id}.${format}`
  return `${kind}-${id.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 60)}-${contentHash(id).slice(0, 12)}.${format}`
}

const documentRoot = (name: string, children: XmlChild[]): string =>
  documentOf({ name, attributes: { format: '1' }, content: children })

/** Says which fields lost a character that XML cannot carry; null when none did. */
function remarkOn(fields: Record<string, string | null>): string | null {
  const lost = Object.entries(fields).flatMap(([name, value]) => {
    const count = illegalCharacters(value ?? '')
    return count === 0 ? [] : [`${name} (${count})`]
  })
  return lost.length === 0 ? null : `Characters that XML cannot carry were replaced by \ufffd in ${lost.join(', ')}`
}

function orderElement(unit: WaveUnit): XmlElement {
  const { recipient, delivery, lines } = unit
  const remark = remarkOn({
    Notes: unit.notes,
    AskedTime: unit.askedTime,
    RecipientName: recipient.name,
    RecipientPhone: recipient.phone,
    RecipientAddress: recipient.address,
    OrderNumber: unit.externalId,
    ...Object.fromEntries(
      lines.flatMap((line) => [
        [`Line ${line.lineId} Sku`, line.sku],
        [`Line ${line.lineId} Name`, line.name],
      ]),
    ),
  })
  return group('Order', [
    text('UnitId', unit.unitId),
    text('OrderId', unit.orderId),
    text('OrderNumber', unit.externalId),
    text('Priority', unit.priority),
    text('Notes', unit.notes),
    text('AskedTime', unit.askedTime),
    group('Recipient', [
      text('Name', recipient.name),
      text('Phone', recipient.phone),
      text('PostalCode', recipient.postalCode),
      text('Address', recipient.address),
    ]),
    group('Delivery', [text('Method', delivery.method), text('Service', delivery.service)]),
    group(
      'Lines',
      lines.map((line) =>
        group('Line', [
          text('LineId', line.lineId),
          text('Sku', line.sku),
          text('Name', line.name),
          text('Quantity', line.quantity),
        ]),
      ),
    ),
    text('Remark', remark),
  ])
}

/** @throws OmnisagaError Invalid for a wave or an order with nothing in it: the warehouse would refuse the whole file. */
export function checkWave(wave: Wave): void {
  if (wave.units.length === 0)
    throw new OmnisagaError('Invalid', `wave ${wave.id} has no units`, { remedy: 'close it without sending' })
  const hollow = wave.units.find((unit) => unit.lines.length === 0)
  if (hollow !== undefined)
    throw new OmnisagaError('Invalid', `unit ${hollow.unitId} of wave ${wave.id} has no lines`, {
      remedy: 'take it out of the wave',
    })
}

/** @throws as checkWave */
export function waveRequest(wave: Wave): OutFile & { content: string } {
  checkWave(wave)
  return {
    fileName: fileNameOf('wave', wave.id),
    content: documentRoot('Wave', [
      text('WaveId', wave.id),
      text('Location', wave.location),
      text('CreatedAt', wave.createdAt),
      group('Orders', wave.units.map(orderElement)),
    ]),
  }
}

export const cancelRequest = (args: { unitId: string; reason: string; key: string }): OutFile & { content: string } => ({
  fileName: fileNameOf('cancel', args.key),
  content: documentRoot('Cancel', [
    text('Key', args.key),
    text('UnitId', args.unitId),
    text('Reason', args.reason),
    text('Remark', remarkOn({ Reason: args.reason })),
  ]),
})

/** `amountDueMinor`: what the courier must collect, in minor units; 0 when nothing. */
export const labelRequest = (args: {
  unitId: string
  waybill: string
  courier: string
  amountDueMinor: number
  notes: string | null
  key: string
}): OutFile & { content: string } => ({
  fileName: fileNameOf('label', args.key),
  content: documentRoot('Label', [
    text('Key', args.key),
    text('UnitId', args.unitId),
    text('Waybill', args.waybill),
    text('Courier', args.courier),
    text('AmountDueMinor', args.amountDueMinor),
    text('Notes', args.notes),
    text('Remark', remarkOn({ Notes: args.notes })),
  ]),
})
