/** listings, listings map, ignore, find, push: what the items of channels mean, and what they are told. */
import { leaveListing, lookThrough, mapListing, tellAgain } from '../../activities/stockListings.ts'
import { listListings, type ListingRow } from '../../store/listings.ts'
import { Misuse, type ExitCode } from '../exit.ts'
import { dim, print, printJson, red, table, yellow, type Column } from '../output/text.ts'
import { withRuntime } from '../session.ts'

const parts = (row: ListingRow) =>
  row.skus.map(({ sku, quantity }) => (quantity === 1 ? sku : `${quantity} × ${sku}`)).join(' + ')

const COLUMNS: Column<ListingRow>[] = [
  { title: 'CONNECTION', of: (row) => row.connection },
  { title: 'LISTING', of: (row) => [row.listingId, row.variantId].filter(Boolean).join('/') },
  { title: 'ITS SKU', of: (row) => row.externalSku, most: 30 },
  {
    title: 'MEANS',
    of: (row) => (row.state === 'mapped' ? parts(row) : row.state),
    paint: (text, row) => (row.state === 'mapped' ? text : yellow(text)),
  },
  { title: 'TO SHOW', of: (row) => row.quantity, right: true },
  { title: 'SHOWS', of: (row) => row.told, right: true },
  {
    title: 'TITLE',
    of: (row) => row.error ?? row.title,
    most: 50,
    paint: (text, row) => (row.error === null ? text : red(text)),
  },
]

export interface ListingsOptions {
  connection?: string
  state?: ListingRow['state']
  sku?: string
  limit: number
  json?: boolean
}

export async function listings({ json, ...filter }: ListingsOptions): Promise<ExitCode> {
  const found = await withRuntime(({ pool }) => listListings(pool, filter))
  if (json) printJson({ listings: found })
  else print(found.length === 0 ? 'No listing is known here.' : table(found, COLUMNS))
  return 0
}

/** `TEE-S` or `TEE-S=2`; an SKU may hold `=`, so the last one counts, and only before a number. */
export function partOf(text: string): { sku: string; quantity: number } {
  const match = /^(.+)=([1-9]\d{0,5})$/su.exec(text)
  return match ? { sku: match[1] ?? '', quantity: Number(match[2]) } : { sku: text, quantity: 1 }
}

interface Which {
  connection: string
  listingId: string
}

export async function map(
  which: Which,
  { variant, sku, externalSku, json }: { variant?: string; sku: string[]; externalSku?: string; json?: boolean },
): Promise<ExitCode> {
  if (sku.length === 0) throw new Misuse('Say what it means: --sku SKU (or --sku SKU=QUANTITY, repeated, for a bundle).')
  return await shown(json, (runtime) =>
    mapListing(runtime, {
      ...which,
      variantId: variant ?? null,
      externalSku: externalSku ?? null,
      title: null,
      skus: sku.map(partOf),
    }),
  )
}

export const ignore = (which: Which, { variant, json }: { variant?: string; json?: boolean }): Promise<ExitCode> =>
  shown(json, (runtime) => leaveListing(runtime, { ...which, variantId: variant ?? null }))

async function shown(
  json: boolean | undefined,
  change: Parameters<typeof withRuntime<ListingRow | undefined>>[0],
): Promise<ExitCode> {
  const row = await withRuntime(change)
  if (json) printJson(row)
  else if (row) print(table([row], COLUMNS))
  return 0
}

export async function find(connection: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const round = await withRuntime((runtime) => lookThrough(runtime, connection))
  if (json) printJson(round)
  else {
    print(`${round.seen} seen, ${round.forgotten} not offered any more, ${round.unmapped} mean none of our SKUs.`)
    if (round.unmapped > 0) print(dim(`omnisaga listings --connection ${connection} --state unmapped`))
  }
  return 0
}

export async function push(connection: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const due = await withRuntime((runtime) => tellAgain(runtime, connection))
  if (json) printJson({ due })
  else print(`${due} ${due === 1 ? 'level is' : 'levels are'} due; the worker tells them.`)
  return 0
}
