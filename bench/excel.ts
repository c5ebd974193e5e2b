/**
 * How fast and in how much memory order files are read: the .xlsx reader alone (10,000 and 100,000 rows of 25 columns of Chinese text),
 * then header to orders by every profile, and 300,000 rows in memory that stays flat.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { layoutFiles } from '../samples/layouts.ts'
import { COLUMNS, benchmarkWorkbook } from './excel-file.ts'
import { largeFile, profileFile } from './excel-profiles.ts'
import { atMost, median, type Measure } from './measure.ts'

const run = promisify(execFile)
const GOAL_ROWS_PER_SECOND = 20_000
const GOAL_PEAK_MB = 200
/** What is kept of each row of a large file is its order's number and place. */
const GOAL_FLAT = 1.5
const LARGE_ROWS = 300_000
const PROFILE_ROWS = 10_000

interface Reading {
  rows: number
  orders: number
  characters: number
  seconds: number
  peakMb: number
}

async function readOnce(path: string, what: 'rows' | 'orders' = 'rows'): Promise<Reading> {
  const child = fileURLToPath(new URL('./excel-child.ts', import.meta.url))
  const { stdout } = await run(process.execPath, ['--import', 'tsx', child, path, what])
  return JSON.parse(stdout) as Reading
}

/** Several fresh processes: the median speed, the highest peak. */
async function readings(
  path: string,
  runs: number,
  rows: number,
  what: 'rows' | 'orders',
): Promise<{ speed: number; peak: number }> {
  const all: Reading[] = []
  for (let i = 0; i < runs; i++) all.push(await readOnce(path, what))
  const bad = all.find((reading) => reading.rows !== rows || (what === 'orders' && reading.orders === 0))
  if (bad) throw new Error(`read ${bad.rows} rows of ${rows}, ${bad.orders} orders`)
  return {
    speed: Math.round(median(all.map((reading) => reading.rows / reading.seconds))),
    peak: Math.round(Math.max(...all.map((reading) => reading.peakMb))),
  }
}

const plain = (name: string, value: number, unit: string): Measure => ({
  name,
  value,
  unit,
  against: null,
  ratio: null,
  goal: null,
  met: null,
})

/** The goals are those of 100,000 rows. */
export async function excelMeasures(runs = 3): Promise<Measure[]> {
  return [...(await readerMeasures(runs)), ...(await profileMeasures(runs)), ...(await largeMeasures())]
}

async function readerMeasures(runs: number): Promise<Measure[]> {
  const measures: Measure[] = []
  for (const rows of [10_000, 100_000]) {
    const { speed, peak } = await readings(benchmarkWorkbook(rows), runs, rows, 'rows')
    const judged = rows === 100_000
    measures.push(
      {
        name: `Excel: ${rows} rows x ${COLUMNS} columns, rows per second`,
        value: speed,
        unit: 'rows/s',
        against: null,
        ratio: null,
        goal: judged ? GOAL_ROWS_PER_SECOND : null,
        met: judged ? speed >= GOAL_ROWS_PER_SECOND : null,
      },
      atMost(`Excel: ${rows} rows x ${COLUMNS} columns, peak memory`, 'MB', peak, GOAL_PEAK_MB),
    )
  }
  return measures
}

/** From the bytes to orders, the profile guessed; each file is of the channel's own type (.xls, .xlsx, .csv). */
async function profileMeasures(runs: number): Promise<Measure[]> {
  const measures: Measure[] = []
  for (const profile of Object.keys(layoutFiles)) {
    const { speed, peak } = await readings(profileFile(profile, PROFILE_ROWS), runs, PROFILE_ROWS, 'orders')
    measures.push(
      plain(`Excel: ${profile}, ${PROFILE_ROWS} rows to orders, rows per second`, speed, 'rows/s'),
      plain(`Excel: ${profile}, ${PROFILE_ROWS} rows to orders, peak memory`, peak, 'MB'),
    )
  }
  return measures
}

/** Three times the rows of 100,000 must not take much more memory. */
async function largeMeasures(): Promise<Measure[]> {
  const small = await readings(largeFile(LARGE_ROWS / 3), 1, LARGE_ROWS / 3, 'orders')
  const large = await readings(largeFile(LARGE_ROWS), 1, LARGE_ROWS, 'orders')
  const ratio = large.peak / small.peak
  return [
    plain(`Excel: ${LARGE_ROWS} rows x ${COLUMNS} columns to orders, rows per second`, large.speed, 'rows/s'),
    {
      name: `Excel: ${LARGE_ROWS} rows x ${COLUMNS} columns to orders, peak memory beside ${LARGE_ROWS / 3} rows`,
      value: large.peak,
      unit: 'MB',
      against: small.peak,
      ratio,
      goal: GOAL_FLAT,
      met: ratio <= GOAL_FLAT,
    },
  ]
}
