/** stock drift: where other systems count differently. */
import { readStock } from '../../activities/stockRead.ts'
import { listDrift, readings, type DriftRow } from '../../store/stockDrift.ts'
import type { ExitCode } from '../exit.ts'
import { dim, localTime, print, printJson, red, table, yellow, type Column } from '../output/text.ts'
import { withRuntime } from '../session.ts'

const COLUMNS: Column<DriftRow>[] = [
  { title: 'CONNECTION', of: (row) => row.connection },
  { title: 'LOCATION', of: (row) => row.location },
  { title: 'SKU', of: (row) => row.sku },
  { title: 'THERE', of: (row) => row.theirs, right: true },
  { title: 'HERE', of: (row) => row.ours, right: true },
  { title: 'HELD', of: (row) => row.held, right: true },
  { title: 'DIFFERENCE', of: (row) => row.difference, right: true },
  { title: 'READINGS', of: (row) => row.readings, right: true },
  {
    title: 'STATE',
    of: (row) => row.state,
    paint: (text, row) => (row.state === 'seen' ? text : row.state === 'open' ? yellow(text) : red(text)),
  },
  { title: 'SINCE', of: (row) => localTime(row.firstSeenAt) },
]

export interface DriftOptions {
  connection?: string
  sku?: string
  location?: string
  /** Reads this connection first. */
  read?: string
  json?: boolean
}

/** @returns 1 when something differs. */
export async function drift({ json, read, ...filter }: DriftOptions): Promise<ExitCode> {
  const found = await withRuntime(async (runtime) => {
    if (filter.connection !== undefined) await runtime.connection(filter.connection) // a mistyped name must not read as "no drift"
    if (read !== undefined) await readStock(runtime, read)
    return { drift: await listDrift(runtime.pool, filter), readings: await readings(runtime.pool) }
  })
  if (json) printJson(found)
  else {
    print(found.drift.length === 0 ? 'Nobody counts differently.' : table(found.drift, COLUMNS))
    for (const reading of found.readings) {
      const lacks = [
        reading.unmappedLocations.length > 0 ? `places not mapped: ${reading.unmappedLocations.join(', ')}` : null,
        reading.unknownSkuCount > 0 ? `${reading.unknownSkuCount} unknown SKUs: ${reading.unknownSkus.join(', ')}` : null,
      ].filter((each) => each !== null)
      print(dim([`${reading.connection}: ${reading.levels} levels read at ${localTime(reading.at)}`, ...lacks].join('; ')))
    }
  }
  return found.drift.length === 0 ? 0 : 1
}
