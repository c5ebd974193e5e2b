/** import FILE */
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileSettings, taughtLayouts, type FileSettings } from '../../activities/fileSettings.ts'
import { resolveBatch } from '../../activities/importMend.ts'
import { runImport, startImport } from '../../activities/imports.ts'
import { BUILT_IN } from '../../activities/profiles.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import {
  annotateInWorker,
  dryRun,
  readOrdersInWorker,
  type FileOrders,
  type ReadOptions,
  type RowError,
} from '../../mappings/files/index.ts'
import { getImport, requestCancel, type ImportProgress } from '../../store/imports.ts'
import type { ExitCode } from '../exit.ts'
import { lookupOf } from '../importPreview.ts'
import { describePreview, describeResult } from '../output/import.ts'
import { complain, dim, print, printJson, red } from '../output/text.ts'
import { askPassword } from '../password.ts'
import { withRuntime } from '../session.ts'

export interface ImportOptions {
  connection?: string
  profile?: string
  as?: string
  password?: string
  dryRun?: boolean
  annotate?: string
  json?: boolean
}

export async function importFile(path: string, options: ImportOptions): Promise<ExitCode> {
  const { connection, profile, as } = options
  if (connection === undefined) return await lookOnly(path, profile, options)
  return await withRuntime(async (runtime) => {
    if (!options.dryRun) return await takeIn(runtime, path, connection, options)
    const settings = await fileSettings(runtime, connection)
    return await preview(path, { connection, ...settings, profile: as ?? settings.profile }, options, runtime)
  })
}

/** Without a connection the file alone is read, by the profiles that are built in; taught ones are asked for where a system runs. */
async function lookOnly(path: string, profile: string | undefined, options: ImportOptions): Promise<ExitCode> {
  const withTaught = async () =>
    await withRuntime(async ({ pool }) => await preview(path, { profile, ...(await taughtLayouts(pool)) }, options))
  if (profile !== undefined && BUILT_IN.has(profile)) return await preview(path, { profile }, options)
  try {
    return await preview(path, { profile }, options)
  } catch (error) {
    const mayBeTaught =
      error instanceof OmnisagaError && ['unknownHeaders', 'profileUnsure', 'unknownProfile'].includes(error.code ?? '')
    if (!mayBeTaught) throw error
    return await withTaught().catch((later: unknown) => {
      // No system runs here: then what the file alone showed is the answer.
      throw later instanceof OmnisagaError && later.kind === 'Invalid' ? later : error
    })
  }
}

/** Runs `read`; a workbook that turns out to be encrypted is asked about, once, where somebody can answer. */
async function withPassword<T>(given: string | undefined, read: (password: string | undefined) => Promise<T>): Promise<T> {
  try {
    return await read(given)
  } catch (error) {
    const isLocked = error instanceof OmnisagaError && error.code === 'passwordNeeded'
    if (!isLocked || given !== undefined || !process.stdin.isTTY) throw error
    return await read(await askPassword('Password of the workbook: '))
  }
}

type Read = Omit<ReadOptions, 'password'> & Partial<FileSettings>

async function preview(path: string, read: Read, options: ImportOptions, runtime?: Runtime): Promise<ExitCode> {
  const file = await withPassword(options.password, async (password) => {
    const found = await readOrdersInWorker({ path }, { ...read, password })
    const known = runtime && read.connection !== undefined ? await inLightOf(runtime, read.connection, read, found) : found
    await writeAnnotated(path, { ...read, profile: found.profile, password }, known.errors, options)
    return known
  })
  const lookup = runtime && lookupOf(runtime)
  const result = await dryRun(file, lookup)
  if (options.json) print(JSON.stringify(result))
  else print(describePreview(result, file, lookup?.seen))
  return result.errors.length > 0 ? 1 : 0
}

/** With rows that earlier files had brought, as an import would see it. */
async function inLightOf(runtime: Runtime, connection: string, read: Read, file: FileOrders): Promise<FileOrders> {
  const { orders, held, known } = await resolveBatch(runtime.pool, connection, read, file)
  const errors = [...held.flatMap((order) => order.errors), ...file.withoutNumber].sort((a, b) => a.row - b.row)
  const repeated = known.map((externalId) => ({ row: 0, firstRow: 0, externalId }))
  return {
    ...file,
    orders,
    held,
    errors,
    heldOrders: held.map(({ externalId }) => externalId),
    duplicates: [...file.duplicates, ...repeated],
  }
}

async function takeIn(runtime: Runtime, path: string, connection: string, options: ImportOptions): Promise<ExitCode> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    const why = { ENOENT: 'there is no such file', EISDIR: 'it is a folder', EACCES: 'this user may not read it' }[
      error.code ?? ''
    ]
    throw new OmnisagaError('Invalid', `${path} cannot be opened: ${why ?? error.code ?? error.name}.`, {
      remedy: 'Check the path.',
    })
  })
  const done = await withPassword(options.password, async (password) => {
    const id = await startImport(runtime, { bytes, fileName: basename(path), connection, profile: options.as })
    await stoppable(runtime, id, options, (progress) => runImport(runtime, id, { password, progress }))
    const found = await getImport(runtime.pool, id)
    if (options.annotate !== undefined && found?.result) {
      const read = { connection, ...(await fileSettings(runtime, connection)), profile: found.profile, password }
      await writeAnnotated(path, read, found.result.errors as RowError[], options)
    }
    return found
  })
  if (!done) throw new OmnisagaError('Transient', 'the import is gone from the database')
  const { result } = done
  const errors = result?.errors ?? []
  if (options.json) printJson(done)
  else if (done.state === 'failed' || !result) complain(`${red('error:')} ${done.error ?? 'the file could not be read'}`)
  else print(describeResult(done, result))
  return done.state !== 'done' || errors.length > 0 || (result?.failed ?? 0) > 0 ? 1 : 0
}

const SHOW_AFTER_MS = 1_500
const SHOW_EVERY_MS = 500

/** Shows how far it is, where somebody watches; the first Ctrl-C stops between two orders, the second at once. */
async function stoppable(
  runtime: Runtime,
  id: string,
  { json }: ImportOptions,
  work: (progress: (progress: ImportProgress) => void) => Promise<unknown>,
): Promise<void> {
  const watched = process.stderr.isTTY && !json
  const startedAt = Date.now()
  let shownAt = 0
  const show = ({ rowsRead, rowsTotal, ordersStored }: ImportProgress) => {
    const now = Date.now()
    if (!watched || now - startedAt < SHOW_AFTER_MS || now - shownAt < SHOW_EVERY_MS) return
    shownAt = now
    const rows =
      rowsTotal === null ? `${rowsRead} rows looked through` : `row ${rowsRead} of ${rowsTotal}, ${ordersStored} orders`
    process.stderr.write(`\r\u001b[K${dim(rows)}`)
  }
  let asked = false
  const stop = (): void => {
    if (asked) process.exit(130)
    asked = true
    complain(`${watched ? '\n' : ''}Stopping; what was taken in stays. Ctrl-C again ends at once.`)
    // The wish is in the database: should this process end before it is heard, whoever resumes the import hears it.
    requestCancel(runtime.pool, id).catch((error: Error) => complain(`${red('error:')} ${error.message}`))
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    await work(show)
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    if (shownAt > 0) process.stderr.write('\r\u001b[K')
  }
}

async function writeAnnotated(
  path: string,
  read: ReadOptions,
  errors: readonly RowError[],
  { annotate: out, json }: ImportOptions,
): Promise<void> {
  if (out === undefined) return
  await writeFile(out, await annotateInWorker({ path }, read, errors))
  if (!json) complain(dim(`Written: ${out}`))
}
