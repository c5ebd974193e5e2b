/** What the demo remembers of its day, so that a start after a stop, a crash or a finished day knows where it stands. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const DayState = z.object({
  run: z.number().int().positive(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  /** Steps that are done, by name. */
  done: z.array(z.string()),
  /** What a step has to tell a later one, e.g. the import's id. */
  notes: z.record(z.string(), z.string()),
  ports: z.object({ ecpay: z.number(), shopee: z.number() }).nullable(),
})
export type DayState = z.infer<typeof DayState>

const fileOf = (folder: string) => join(folder, 'day.json')

/** @returns null when no day was begun here. @throws Error that names the file when it cannot be read. */
export function readDayState(folder: string): DayState | null {
  const file = fileOf(folder)
  if (!existsSync(file)) return null
  try {
    return DayState.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw new Error(`${file} cannot be read (${(error as Error).message.slice(0, 100)}). Remove the file to begin a new day.`)
  }
}

export function writeDayState(folder: string, state: DayState): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${fileOf(folder)}.new`, `${JSON.stringify(state, null, 2)}\n`)
  renameSync(`${fileOf(folder)}.new`, fileOf(folder))
}

export const newDay = (run: number, ports: DayState['ports']): DayState => ({
  run,
  startedAt: new Date().toISOString(),
  finishedAt: null,
  done: [],
  notes: {},
  ports,
})
