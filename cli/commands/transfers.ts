/** transfers, and what people do with one; receipts import FILE. */
import { readFile } from 'node:fs/promises'
import { arriveTransfer, shipTransfer } from '../../activities/store/transfers.ts'
import { transaction } from '../../store/db.ts'
import { expectReceipts, parseReceipts } from '../../store/receipts.ts'
import { listTransfers, type Transfer, type TransferState } from '../../store/transfers.ts'
import type { ExitCode } from '../exit.ts'
import { localTime, print, printJson, table, type Column } from '../output/text.ts'
import { withRuntime } from '../session.ts'

const COLUMNS: Column<Transfer>[] = [
  { title: 'ID', of: (row) => row.id },
  { title: 'FROM', of: (row) => row.from },
  { title: 'TO', of: (row) => row.to },
  { title: 'STATE', of: (row) => row.state },
  { title: 'FOR', of: (row) => row.orderId ?? row.purpose },
  { title: 'WAYBILL', of: (row) => row.waybill ?? '' },
  { title: 'ASKED', of: (row) => localTime(row.madeAt) },
  { title: 'GOODS', of: (row) => row.lines.map((line) => `${line.quantity} × ${line.sku}`).join(', ') },
]

const show = (found: Transfer[], json: boolean | undefined) => {
  if (json) printJson({ transfers: found })
  else print(found.length === 0 ? 'There are no transfers.' : table(found, COLUMNS))
}

export interface TransfersOptions {
  location?: string
  state?: TransferState
  json?: boolean
}

export async function transfers({ json, ...filter }: TransfersOptions): Promise<ExitCode> {
  show(await withRuntime(({ pool }) => listTransfers(pool, { open: filter.state === undefined, ...filter })), json)
  return 0
}

export interface ShipOptions {
  carrier?: string
  waybill?: string
  expected?: string
  json?: boolean
}

export async function ship(id: string, { carrier, waybill, expected, json }: ShipOptions): Promise<ExitCode> {
  const sent = { carrier: carrier ?? null, waybill: waybill ?? null, expectedOn: expected ?? null }
  show([await withRuntime((runtime) => shipTransfer(runtime, id, sent))], json)
  return 0
}

export async function arrive(id: string, { json }: { json?: boolean }): Promise<ExitCode> {
  show([await withRuntime((runtime) => arriveTransfer(runtime, id))], json)
  return 0
}

export async function importReceipts(file: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const receipts = parseReceipts(await readFile(file, 'utf8'))
  const taken = await withRuntime(({ pool }) => transaction(pool, (tx) => expectReceipts(tx, receipts)))
  if (json) printJson({ receipts: taken })
  else print(`${taken} expected receipts.`)
  return 0
}
