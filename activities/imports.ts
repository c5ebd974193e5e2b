/** Importing a file: kept as it came, read in a thread of its own, each order taken in like any other. */
import { OmnisagaError } from '../domain/errors.ts'
import { readOrdersInWorker, type FileOrders } from '../mappings/files/index.ts'
import { readInbox, storeRaw } from '../store/inbox.ts'
import {
  getImport,
  interruptedImports,
  keepUpload,
  setImport,
  uploadOf,
  type Import,
  type ImportResult,
} from '../store/imports.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import { fileSettings } from './fileSettings.ts'
import { eachLane, mapRecord } from './intake.ts'
import type { Runtime } from './runtime.ts'

const CHUNK = 200

/** Keeps the file. @returns the import's id; nothing is read yet. */
export async function startImport(
  runtime: Runtime,
  args: { bytes: Buffer; fileName: string; connection: string },
): Promise<string> {
  const { profile } = await fileSettings(runtime, args.connection)
  return await keepUpload(runtime.pool, { ...args, profile })
}

/**
 * Reads the file and takes its orders in; may be run again after a crash, since every record is known by its content.
 * @throws OmnisagaError Invalid when the file cannot be read at all; the import then says so too.
 */
export async function runImport(runtime: Runtime, importId: string, password?: string): Promise<ImportResult> {
  const job = await getImport(runtime.pool, importId)
  if (job === null) throw new OmnisagaError('Invalid', `there is no import ${importId}`, { code: 'notFound' })
  await setImport(runtime.pool, importId, { state: 'running' })
  try {
    const result = await takeIn(runtime, job, password)
    await setImport(runtime.pool, importId, { state: 'done', result })
    return result
  } catch (error) {
    if (error instanceof OmnisagaError && error.kind === 'Invalid')
      await setImport(runtime.pool, importId, { state: 'failed', error: [error.message, error.remedy].filter(Boolean).join(' ') })
    throw error
  }
}

async function takeIn(runtime: Runtime, job: Import, password: string | undefined): Promise<ImportResult> {
  const { id: importId, connection } = job
  const settings = await fileSettings(runtime, connection)
  const file = await readOrdersInWorker(await uploadOf(runtime.pool, importId), { ...settings, connection, password })
  const result: ImportResult = {
    profile: file.profile,
    rows: file.rows,
    new: 0,
    known: 0,
    changed: 0,
    filled: 0,
    failed: 0,
    heldOrders: file.heldOrders,
    errors: file.errors,
  }
  for (let at = 0; at < file.orders.length; at += CHUNK) {
    const chunk = file.orders.slice(at, at + CHUNK)
    const records = chunk.map(({ order, raw, hash }) => ({
      kind: 'order',
      externalId: order.externalId,
      // Of what the order says, not of where it stands: a file saved or sorted anew tells nothing new.
      version: `file:${hash}`,
      eventAt: null,
      payload: { ...order, fromFile: true, raw },
    }))
    const stored = await storeRaw(runtime.pool, connection, records, { importId, leaseMs: 60_000 })
    result.known += stored.known
    await eachLane(
      await readInbox(runtime.pool, stored.ids),
      (row) => row.externalId,
      async (row) => count(result, await mapRecord(runtime, row)),
    )
    await closeMended(
      runtime,
      records.map(({ externalId }) => taskKey(connection, externalId)),
    )
  }
  for (const held of file.held) await askForMendedRows(runtime, connection, held)
  await askForOrderNumbers(runtime, job, file)
  return result
}

const taskKey = (connection: string, orderNumber: string) => `import:${connection}:${orderNumber}`

async function closeMended(runtime: Runtime, keys: string[]): Promise<void> {
  const open = await runtime.pool.query<{ key: string }>(`select key from tasks where state = 'open' and key = any($1)`, [keys])
  for (const { key } of open.rows) await closeTasks(runtime.pool, { key }, 'a good row came')
}

function count(result: ImportResult, mapped: Awaited<ReturnType<typeof mapRecord>>): void {
  if (mapped.received !== undefined) result[mapped.received] += 1
  else if (mapped.state === 'failed') result.failed += 1
}

const rowsOf = (errors: FileOrders['errors']): string =>
  errors.map((error) => `row ${error.row}, ${error.column}: ${error.message}`).join('; ')

async function askForMendedRows(
  runtime: Runtime,
  connection: string,
  { externalId, errors }: FileOrders['held'][number],
): Promise<void> {
  await openTask(runtime.pool, {
    kind: 'import.wrongRow',
    key: taskKey(connection, externalId),
    connection,
    subject: externalId,
    title: `Order ${externalId} is held: ${new Set(errors.map(({ row }) => row)).size === 1 ? 'a row of it is' : 'rows of it are'} wrong`,
    detail: rowsOf(errors),
    remedy: 'Correct the rows and import the file again; what is known already does not change.',
    field: errors[0]?.column ?? null,
    value: errors[0]?.value ?? null,
    actions: ['skip'],
  })
}

/** Rows without an order number hold no order back, so one task tells of them all; the mended file, under its name, closes it. */
async function askForOrderNumbers(runtime: Runtime, job: Import, file: FileOrders): Promise<void> {
  const key = `import:${job.connection}:file:${job.fileName}`
  const errors = file.withoutNumber
  if (errors.length === 0) {
    await closeTasks(runtime.pool, { key }, 'every row has its order number')
    return
  }
  await openTask(runtime.pool, {
    kind: 'import.noOrderNumber',
    key,
    connection: job.connection,
    subject: job.fileName,
    title: `${errors.length === 1 ? 'A row' : `${errors.length} rows`} of ${job.fileName} belong${errors.length === 1 ? 's' : ''} to no order`,
    detail: rowsOf(errors.slice(0, 50)),
    remedy: 'Fill in the order numbers and import the file again under the same name; what is known already does not change.',
    field: errors[0]?.column ?? null,
    value: null,
    actions: ['skip'],
  })
}

/** Imports that a crash left half done go on from their kept file. */
export async function resumeImports(runtime: Runtime): Promise<void> {
  for (const id of await interruptedImports(runtime.pool)) {
    await runImport(runtime, id).catch((error: Error) =>
      runtime.log.warn({ import: id, error: error.name }, 'an interrupted import could not go on'),
    )
  }
}
