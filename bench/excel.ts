/** How fast and in how much memory the .xlsx reader reads: 10,000 and 100,000 rows of 25 columns of Chinese text. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { COLUMNS, benchmarkWorkbook } from './excel-file.ts'
import { median, type Measure } from './measure.ts'

const run = promisify(execFile)
const GOAL_ROWS_PER_SECOND = 20_000
const GOAL_PEAK_MB = 200

interface Reading {
  rows: number
  characters: number
  seconds: number
  peakMb: number
}

async function readOnce(path: string): Promise<Reading> {
  const child = fileURLToPath(new URL('./excel-child.ts', import.meta.url))
  const { stdout } = await run(process.execPath, ['--import', 'tsx', child, path])
  return JSON.parse(stdout) as Reading
}

/** Each size is read in several fresh processes: the median speed, the highest peak. The goals are those of 100,000 rows. */
export async function excelMeasures(runs = 3): Promise<Measure[]> {
  const measures: Measure[] = []
  for (const rows of [10_000, 100_000]) {
    const path = benchmarkWorkbook(rows)
    const readings: Reading[] = []
    for (let i = 0; i < runs; i++) readings.push(await readOnce(path))
    const bad = readings.find((reading) => reading.rows !== rows)
    if (bad) throw new Error(`read ${bad.rows} rows of ${rows}`)
    const speed = Math.round(median(readings.map((reading) => reading.rows / reading.seconds)))
    const peak = Math.round(Math.max(...readings.map((reading) => reading.peakMb)))
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
      {
        name: `Excel: ${rows} rows x ${COLUMNS} columns, peak memory`,
        value: peak,
        unit: 'MB',
        against: null,
        ratio: null,
        goal: GOAL_PEAK_MB,
        met: peak <= GOAL_PEAK_MB,
      },
    )
  }
  return measures
}
