/** stock allot, allotments, unallot: what is kept for channels and campaigns. */
import { closeAllotment, listAllotments, setAllotment, type Allotment } from '../../store/allotments.ts'
import { transaction } from '../../store/db.ts'
import { refuseUnknownProducts } from '../../store/products.ts'
import { Misuse, type ExitCode } from '../exit.ts'
import { complain, localTime, print, printJson, red, table, type Column } from '../output/text.ts'
import { withRuntime } from '../session.ts'

const COLUMNS: Column<Allotment>[] = [
  { title: 'ID', of: (row) => row.id, right: true },
  { title: 'SKU', of: (row) => row.sku },
  { title: 'LOCATION', of: (row) => row.location },
  { title: 'FOR', of: (row) => (row.channel === null ? `campaign ${row.campaign}` : `channel ${row.channel}`) },
  { title: 'QUANTITY', of: (row) => row.quantity, right: true },
  { title: 'USED', of: (row) => row.used, right: true },
  {
    title: 'KEPT',
    of: (row) => row.kept,
    right: true,
    paint: (text, row) => (row.open && row.kept < row.quantity - row.used ? red(text) : text),
  },
  { title: 'CLOSES', of: (row) => (row.open ? localTime(row.closesAt) : 'closed') },
]

export interface AllotOptions {
  channel?: string
  campaign?: string
  priority: number
  closes?: string
  json?: boolean
}

export async function allot(
  row: { sku: string; location: string; quantity: number },
  { channel, campaign, priority, closes, json }: AllotOptions,
): Promise<ExitCode> {
  if ((channel === undefined) === (campaign === undefined))
    throw new Misuse('Name whom it is kept for: --channel CHANNEL or --campaign CAMPAIGN.')
  if (closes !== undefined && !(Date.parse(closes) > Date.now()))
    throw new Misuse(`--closes ${closes} is no time that is still to come. Write it with its offset: 2026-12-01T00:00:00+08:00.`)
  const made = await withRuntime(async ({ pool }) => {
    await refuseUnknownProducts(pool, [row.sku])
    const id = await transaction(pool, (tx) => setAllotment(tx, { ...row, channel, campaign, priority, closesAt: closes }))
    return (await listAllotments(pool, { sku: row.sku })).find((allotment) => allotment.id === id)
  })
  if (json) printJson(made)
  else if (made) print(table([made], COLUMNS))
  return 0
}

export interface AllotmentsOptions {
  sku?: string
  location?: string
  channel?: string
  campaign?: string
  closed?: boolean
  json?: boolean
}

export async function allotments({ json, ...filter }: AllotmentsOptions): Promise<ExitCode> {
  const found = await withRuntime(({ pool }) => listAllotments(pool, filter))
  if (json) printJson({ allotments: found })
  else print(found.length === 0 ? 'Nothing is kept for anybody.' : table(found, COLUMNS))
  return 0
}

export async function unallot(id: number, { json }: { json?: boolean }): Promise<ExitCode> {
  const closed = await withRuntime(({ pool }) => closeAllotment(pool, id))
  if (json) printJson({ id, closed })
  else if (closed) print(`Allotment ${id} is closed; what was left is everybody's.`)
  else complain(`${red('refused')}  there is no open allotment ${id}`)
  return closed ? 0 : 1
}
