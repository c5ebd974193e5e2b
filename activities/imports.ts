/** Importing a file: kept as it came, read in a thread of its own, each order taken in like any other. */
import { OmnisagaError } from '../domain/errors.ts'
import { contentHash } from '../domain/ids.ts'
import { readOrdersInWorker } from '../mappings/files/index.ts'
import { readInbox, storeRaw, type InboxRow } from '../store/inbox.ts'
import {
  getImport,
  interruptedImports,
  keepUpload,
  setImport,
  uploadOf,
  type ImportResult,
  type RowError,
} from '../store/imports.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import { eachLane, mapRecord } from './intake.ts'
import type { Runtime } from './runtime.ts'

const CHUNK = 200

/** Where orders of a connection belong and how its files are read. @throws OmnisagaError Misconfigured when it takes no files. */
export async function fileSettings(
  runtime: Runtime,
  name: string,
): Promise<{ profile: string; channel: string; shop: string; zone: string }> {
  const { connector, context } = await runtime.connection(name)
  const config = context.connection.config as { profile?: string; zone?: string }
  const identity = connector.identity?.(context.connection)
  const profile = config.profile ?? (connector.name === 'shopee' ? 'shopee-tw' : undefined)
  if (identity === undefined || profile === undefined) {
    throw new OmnisagaError('Misconfigured', `connection ${name} takes no files`, {
      remedy: 'Name a connection that has a profile, see omnisaga connections list.',
    })
  }
  return { ...identity, profile, zone: config.zone ?? 'Asia/Taipei' }
}

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
    const result = await takeIn(runtime, importId, job.connection, password)
    await setImport(runtime.pool, importId, { state: 'done', result })
    return result
  } catch (error) {
    if (error instanceof OmnisagaError && error.kind === 'Invalid')
      await setImport(runtime.pool, importId, { state: 'failed', error: [error.message, error.remedy].filter(Boolean).join(' ') })
    throw error
  }
}

async function takeIn(
  runtime: Runtime,
  importId: string,
  connection: string,
  password: string | undefined,
): Promise<ImportResult> {
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
    const records = chunk.map(({ order, raw }) => ({
      kind: 'order',
      externalId: order.externalId,
      version: `file:${contentHash(raw)}`,
      eventAt: null,
      payload: { ...order, fromFile: true, raw },
    }))
    const stored = await storeRaw(runtime.pool, connection, records, { importId, leaseMs: 60_000 })
    result.known += stored.known
    await eachLane(
      await readInbox(runtime.pool, stored.ids),
      (row) => row.externalId,
      async (row) => count(result, await mapRecord(runtime, row), row),
    )
    for (const { externalId } of records)
      await closeTasks(runtime.pool, { key: `import:${connection}:${externalId}` }, 'a good row came')
  }
  for (const orderNumber of file.heldOrders) await askForMendedRows(runtime, connection, orderNumber, file.errors)
  return result
}

function count(result: ImportResult, mapped: Awaited<ReturnType<typeof mapRecord>>, _row: InboxRow): void {
  if (mapped.received !== undefined) result[mapped.received] += 1
  else if (mapped.state === 'failed') result.failed += 1
}

async function askForMendedRows(
  runtime: Runtime,
  connection: string,
  orderNumber: string,
  errors: (RowError & { order?: string | null })[],
): Promise<void> {
  const own = errors.filter((error) => error.order === orderNumber)
  await openTask(runtime.pool, {
    kind: 'import.wrongRow',
    key: `import:${connection}:${orderNumber}`,
    connection,
    subject: orderNumber,
    title: `Order ${orderNumber} is held: ${own.length === 1 ? 'a row of it is' : 'rows of it are'} wrong`,
    detail: own.map((error) => `row ${error.row}, ${error.column}: ${error.message}`).join('; '),
    remedy: 'Correct the rows and import the file again; what is known already does not change.',
    field: own[0]?.column ?? null,
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
