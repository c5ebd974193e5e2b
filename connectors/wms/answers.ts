/** Reading the warehouse's answers: what can be read is returned, what cannot is named, nothing is moved before `acknowledge`. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { contentHash } from '../../domain/ids.ts'
import type { RawRecord, WarehouseAnswers } from '../kit/types.ts'
import { parseAdviceFile } from './adviceFile.ts'
import type { BadAdvice } from './adviceFile.ts'
import { doneFolderOf, rejectedFolderOf } from './config.ts'
import type { WmsConfig } from './config.ts'
import { parseAdviceCsv } from './csv.ts'
import { inFolder, listFinished, moveAway, readStill, statOrNull, writeWhole } from './folder.ts'
import type { Seen } from './folder.ts'

/** Files of one reading; the rest waits for the next one, so that memory stays bounded. */
const MAX_FILES = 200

interface ReadFile {
  name: string
  seen: Seen
  records: RawRecord[]
  bad: BadAdvice[]
  /** Why the whole file is set aside. */
  reason: string | null
}

/** With its content's hash: a file name may be used again. */
const badName = (name: string, { position, content }: BadAdvice): string =>
  `${name.replace(/\.(xml|csv)$/i, '')}.advice-${position}-${contentHash(content).slice(0, 8)}.json`

/** @returns null for a file that is to be read another time. */
async function readOne(config: WmsConfig, name: string, nowMs: number): Promise<ReadFile | null> {
  const path = join(config.inFolder, name)
  const stats = await statOrNull(path)
  if (stats === null) return null
  const setAside = (seen: Seen, reason: string): ReadFile => ({ name, seen, records: [], bad: [], reason })
  if (stats.size > config.maxFileBytes)
    return setAside(stats, `the file has ${stats.size} bytes: at most ${config.maxFileBytes} are read; write several files`)
  const still = await readStill(path)
  if (still === null) return null
  const parsed = config.format === 'csv' ? parseAdviceCsv(still.bytes, name, config) : parseAdviceFile(still.bytes, name)
  if (parsed.state === 'read') return { name, seen: still.seen, records: parsed.records, bad: parsed.bad, reason: null }
  if (parsed.state === 'unreadable') return setAside(still.seen, parsed.reason)
  const restedMs = nowMs - still.seen.mtimeMs
  if (restedMs < config.unfinishedFileMs) return null
  return setAside(still.seen, `${parsed.reason}; nobody has written to it for ${Math.round(restedMs / 1000)} s`)
}

async function putAway(config: WmsConfig, file: ReadFile, nowMs: number): Promise<void> {
  const path = join(config.inFolder, file.name)
  const rejected = rejectedFolderOf(config)
  if (file.bad.length > 0)
    await inFolder(rejected, async () => {
      await mkdir(rejected, { recursive: true })
      for (const bad of file.bad) {
        const name = badName(file.name, bad)
        await writeWhole(rejected, `${name}.reason.txt`, `${bad.reason}\n`, nowMs)
        await writeWhole(rejected, name, `${JSON.stringify(bad.content, null, 2)}\n`, nowMs)
      }
    })
  const folder = file.reason === null ? doneFolderOf(config) : rejected
  await inFolder(folder, () => moveAway(path, file.seen, folder, file.reason, nowMs))
}

export async function readAnswers(config: WmsConfig, now: () => Date): Promise<WarehouseAnswers> {
  const files: ReadFile[] = []
  await inFolder(config.inFolder, async () => {
    for (const name of await listFinished(config.inFolder, config.format)) {
      const file = await readOne(config, name, now().getTime())
      if (file !== null) files.push(file)
      if (files.length === MAX_FILES) break
    }
  })
  return {
    records: files.flatMap((file) => file.records),
    rejected: files.flatMap((file) => [
      ...(file.reason === null ? [] : [{ file: file.name, reason: file.reason }]),
      ...file.bad.map((bad) => ({ file: badName(file.name, bad), reason: bad.reason })),
    ]),
    acknowledge: async () => {
      for (const file of files) await putAway(config, file, now().getTime())
    },
  }
}
