/** transfers, and what people do with one; receipts import FILE. */
import { importReceipts as takeReceiptsIn } from '../../activities/store/receiptsFile.ts'
import { arriveTransfer, cancelTransfer, shipTransfer } from '../../activities/store/transfers.ts'
import { listTransfers, type Transfer, type TransferState } from '../../store/transfers.ts'
import type { ExitCode } from '../exit.ts'
import { localTime, print, printJson, red, table, type Column } from '../output/text.ts'
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

export interface ArriveOptions {
  /** By line, where they are fewer. */
  pieces: Record<string, number>
  json?: boolean
}
export interface ShipOptions extends ArriveOptions {
  carrier?: string
  waybill?: string
  expected?: string
}

export async function ship(id: string, { carrier, waybill, expected, pieces, json }: ShipOptions): Promise<ExitCode> {
  const sent = { carrier: carrier ?? null, waybill: waybill ?? null, expectedOn: expected ?? null, quantities: pieces }
  show([await withRuntime((runtime) => shipTransfer(runtime, id, sent))], json)
  return 0
}

export async function arrive(id: string, { pieces, json }: ArriveOptions): Promise<ExitCode> {
  show([await withRuntime((runtime) => arriveTransfer(runtime, id, { quantities: pieces }))], json)
  return 0
}

export async function cancel(id: string, { json }: { json?: boolean }): Promise<ExitCode> {
  show([await withRuntime((runtime) => cancelTransfer(runtime, id))], json)
  return 0
}

/** Exit 1 when a row was not taken in. */
export async function importReceipts(path: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const { receipts, wrong } = await withRuntime((runtime) => takeReceiptsIn(runtime, { path }))
  if (json) printJson({ receipts, wrong })
  else {
    print(`Taken in: ${receipts}.`)
    if (wrong.length > 0)
      print(
        [
          red(`Not taken in: ${wrong.length}.`),
          table(wrong, [
            { title: 'ROW', of: (each) => each.row, right: true },
            { title: 'COLUMN', of: (each) => each.column },
            { title: 'VALUE', of: (each) => each.value, most: 30 },
            { title: 'WHAT TO DO', of: (each) => each.message, most: 160 },
          ]),
        ].join('\n'),
      )
  }
  return wrong.length > 0 ? 1 : 0
}
