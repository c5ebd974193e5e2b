/** campaigns, campaign set, campaign close: group-buys. */
import { closeCampaigns } from '../../activities/campaigns/round.ts'
import { CampaignEntry, type CampaignState } from '../../domain/campaigns.ts'
import { endCampaign, listCampaigns, setCampaign, type Campaign } from '../../store/campaigns.ts'
import { transaction } from '../../store/db.ts'
import { Misuse, type ExitCode } from '../exit.ts'
import { complain, localTime, print, printJson, red, table, type Column } from '../output/text.ts'
import { withRuntime } from '../session.ts'

const COLUMNS: Column<Campaign>[] = [
  { title: 'CAMPAIGN', of: (row) => row.id },
  { title: 'STATE', of: (row) => row.state, paint: (text, row) => (row.state === 'failed' ? red(text) : text) },
  { title: 'CLOSES', of: (row) => localTime(row.closesAt) },
  { title: 'MINIMUM', of: (row) => `${row.minimum} ${row.counts}`, right: true },
  { title: 'ORDERS', of: (row) => row.orders, right: true },
  { title: 'PIECES', of: (row) => row.pieces, right: true },
  { title: 'COUNTED', of: (row) => row.counted ?? '', right: true },
]

export interface CampaignsOptions {
  state?: string
  json?: boolean
}

export async function campaigns({ state, json }: CampaignsOptions): Promise<ExitCode> {
  if (state !== undefined && !['open', 'reached', 'failed'].includes(state))
    throw new Misuse('--state is open, reached or failed.')
  const found = await withRuntime(({ pool }) => listCampaigns(pool, state ? { state: state as CampaignState } : {}))
  if (json) printJson({ campaigns: found })
  else print(found.length === 0 ? 'There are no group-buys.' : table(found, COLUMNS))
  return 0
}

export interface SetOptions {
  minimum: number
  closes: string
  count: string
  title?: string
  allot: string[]
  json?: boolean
}

export async function set(id: string, { minimum, closes, count, title, allot, json }: SetOptions): Promise<ExitCode> {
  const allotments = allot.map((text) => {
    const [, sku, location, quantity] = /^(.+)@([^@=]+)=(\d+)$/.exec(text) ?? []
    if (sku === undefined || location === undefined)
      throw new Misuse(`${text} is no allotment: write SKU@LOCATION=PIECES, such as TEE-S@wh-north=30.`)
    return { sku, location, quantity: Number(quantity) }
  })
  const entry = CampaignEntry.safeParse({ id, title: title ?? null, minimum, counts: count, closesAt: closes, allotments })
  if (!entry.success) throw new Misuse(entry.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
  const made = await withRuntime(async ({ pool }) =>
    (await transaction(pool, (tx) => setCampaign(tx, entry.data))) ? await listCampaigns(pool, { id }) : null,
  )
  if (json) printJson(made?.[0] ?? { id, refused: 'it is closed' })
  else if (made !== null) print(table(made, COLUMNS))
  else complain(`${red('refused')}  the group-buy ${id} is closed; set up another one`)
  return made === null ? 1 : 0
}

export async function close(id: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const closed = await withRuntime(async (runtime) => {
    await endCampaign(runtime.pool, id)
    await closeCampaigns(runtime)
    return await listCampaigns(runtime.pool, { id })
  })
  if (json) printJson(closed[0])
  else print(table(closed, COLUMNS))
  return 0
}
