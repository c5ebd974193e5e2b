/** Importing a file: kept as it came, read in a thread of its own, each order taken in like any other. */
import { OmnisagaError } from '../domain/errors.ts'
import {
  annotateInWorker,
  streamOrdersInWorker,
  type FileOrder,
  type FileSummary,
  type OrderBatch,
  type ReadOptions,
  type RowError,
} from '../mappings/files/index.ts'
import { profileOf } from '../mappings/profiles/index.ts'
import { profileOfLayout } from '../mappings/profiles/layout.ts'
import { dropKeptRows, keepRows } from '../store/heldRows.ts'
import { readInbox, storeRaw } from '../store/inbox.ts'
import {
  beat,
  getImport,
  interruptedImports,
  keepUpload,
  setImport,
  setImportProfile,
  uploadOf,
  type Import,
  type ImportProgress,
  type ImportResult,
} from '../store/imports.ts'
import { rememberLayout } from '../store/profiles.ts'
import { closeTasks, openTask } from '../store/tasks.ts'
import { fileSettings } from './fileSettings.ts'
import { heldTaskKey, resolveBatch, type Resolved } from './importMend.ts'
import { eachLane, mapRecord } from './intake.ts'
import type { Runtime } from './runtime.ts'

/** While the file is looked through nothing is stored, so that the import gives its sign of life by the clock. */
const BEAT_MS = 2_000
/** Stands where no profile is known yet. */
const GUESSED = ''

/**
 * Keeps the file. @param args.profile goes before the connection's own. @returns the import's id; nothing is read yet.
 * @throws OmnisagaError Misconfigured when the connection takes no files, Invalid when there is no such profile.
 */
export async function startImport(
  runtime: Runtime,
  args: { bytes: Buffer; fileName: string; connection: string; profile?: string | undefined },
): Promise<string> {
  const settings = await fileSettings(runtime, args.connection)
  const profile = args.profile ?? settings.profile
  if (args.profile !== undefined) profileOf(args.profile, settings.layouts.map(profileOfLayout))
  return await keepUpload(runtime.pool, { ...args, profile: profile ?? GUESSED })
}

export interface RunOptions {
  password?: string | undefined
  /** Called while it goes on; for whoever watches. */
  progress?: (progress: ImportProgress) => void
}

/** Thrown inside to leave the reading; nobody outside sees it. */
class Cancelled extends Error {}

/**
 * Reads the file and takes its orders in, 200 at a time; may be run again after a crash, since every record is known by its content.
 * Somebody's wish to stop is heard between two of these: what was taken in stays, whole, and is told.
 * @throws OmnisagaError Invalid when the file cannot be read at all; the import then says so too.
 */
export async function runImport(runtime: Runtime, importId: string, options: RunOptions = {}): Promise<ImportResult> {
  const job = await getImport(runtime.pool, importId)
  if (job === null) throw new OmnisagaError('Invalid', `there is no import ${importId}`, { code: 'notFound' })
  await setImport(runtime.pool, importId, { state: 'running' })
  const taking = new Taking(runtime, job)
  try {
    await taking.run(options)
    await setImport(runtime.pool, importId, { state: 'done', result: taking.result })
  } catch (error) {
    if (error instanceof Cancelled) await setImport(runtime.pool, importId, { state: 'cancelled', result: taking.result })
    else {
      if (error instanceof OmnisagaError && error.kind === 'Invalid')
        await setImport(runtime.pool, importId, {
          state: 'failed',
          error: [error.message, error.remedy].filter(Boolean).join(' '),
        })
      throw error
    }
  }
  return taking.result
}

/** A copy of the uploaded file with what is wrong marked, see annotate. @throws OmnisagaError Invalid when it cannot be read. */
export async function annotatedCopy(runtime: Runtime, job: Import): Promise<Buffer> {
  const settings = await fileSettings(runtime, job.connection)
  const read = { ...settings, profile: job.profile || undefined, connection: job.connection }
  return await annotateInWorker(await uploadOf(runtime.pool, job.id), read, job.result?.errors as RowError[] | undefined)
}

/** One run over one file. */
class Taking {
  readonly result: ImportResult
  private readonly runtime: Runtime
  private readonly job: Import
  private progress: ImportProgress = { rowsRead: 0, rowsTotal: null, ordersStored: 0 }
  private isSaid = false
  private readonly leave = new AbortController()
  /** What is wrong in the orders that wait, in the light of rows that an earlier file had brought. */
  private readonly heldErrors = new Map<string, RowError[]>()

  constructor(runtime: Runtime, job: Import) {
    this.runtime = runtime
    this.job = job
    this.result = {
      profile: job.profile,
      rows: 0,
      new: 0,
      known: 0,
      changed: 0,
      filled: 0,
      failed: 0,
      gone: 0,
      heldOrders: [],
      errors: [],
    }
  }

  async run({ password, progress }: RunOptions): Promise<void> {
    const { runtime, job } = this
    const settings = await fileSettings(runtime, job.connection)
    const read: ReadOptions = { ...settings, profile: job.profile || undefined, connection: job.connection, password }
    const upload = await uploadOf(runtime.pool, job.id)
    let beating = Promise.resolve()
    let isBeating = false
    const clock = setInterval(() => {
      if (isBeating) return
      isBeating = true
      beating = this.beat()
        .catch((error: unknown) => this.leave.abort(error))
        .finally(() => {
          isBeating = false
        })
    }, BEAT_MS)
    let summary: FileSummary
    let taking = Promise.resolve()
    try {
      await this.beat()
      summary = await streamOrdersInWorker(
        upload,
        read,
        {
          progress: (rowsRead) => {
            this.progress = { ...this.progress, rowsRead }
            progress?.(this.progress)
          },
          batch: async (batch) => {
            const taken = this.takeIn(batch, read)
            taking = taken.catch(() => undefined) // awaited below only for its end; its error is thrown here
            await taken
            this.progress = { ...this.progress, rowsRead: batch.rowsDone, rowsTotal: batch.rowsTotal }
            progress?.(this.progress)
            await this.beat()
          },
        },
        { signal: this.leave.signal },
      )
    } finally {
      clearInterval(clock)
      await beating
      await taking // the clock may have heard the wish in the middle of a batch: it is taken in whole, and counted
    }
    await this.finish(summary)
    progress?.(this.progress)
  }

  /** @throws Cancelled when somebody asked for it. */
  private async beat(): Promise<void> {
    if (await beat(this.runtime.pool, this.job.id, this.progress)) {
      const cancelled = new Cancelled()
      this.leave.abort(cancelled)
      throw cancelled
    }
  }

  /** Before its first order is taken in: whoever books a parcel of it asks whether the file goes back. */
  private async sayWhatItIs(file: Pick<FileSummary, 'profile' | 'confidence' | 'takesWaybills'>): Promise<void> {
    if (this.isSaid) return
    this.isSaid = true
    const { profile, takesWaybills } = file
    const confidence = this.job.profile === GUESSED ? file.confidence : null
    await setImportProfile(this.runtime.pool, this.job.id, { profile, confidence, takesWaybills })
  }

  private async takeIn(batch: OrderBatch, read: ReadOptions): Promise<void> {
    const { runtime, job, result } = this
    await this.sayWhatItIs(batch)
    const resolved = await resolveBatch(runtime.pool, job.connection, read, batch)
    result.known += resolved.known.length
    for (const { externalId, errors } of resolved.held) {
      this.heldErrors.set(externalId, errors)
      result.heldOrders.push(externalId)
    }
    await this.store(resolved.orders)
    await this.hold(batch.profile, resolved)
    this.progress = {
      ...this.progress,
      ordersStored: this.progress.ordersStored + resolved.orders.length + resolved.known.length,
    }
  }

  private async store(orders: FileOrder[]): Promise<void> {
    const { runtime, job, result } = this
    const records = orders.map(({ order, raw, hash }) => ({
      kind: 'order',
      externalId: order.externalId,
      // Of what the order says, not of where it stands: a file saved or sorted anew tells nothing new.
      version: `file:${hash}`,
      eventAt: null,
      payload: { ...order, fromFile: true, raw },
    }))
    const stored = await storeRaw(runtime.pool, job.connection, records, { importId: job.id, leaseMs: 60_000 })
    result.known += stored.known
    await eachLane(
      await readInbox(runtime.pool, stored.ids),
      (row) => row.externalId,
      async (row) => count(result, await mapRecord(runtime, row)),
    )
    const ids = orders.map(({ order }) => order.externalId)
    await closeMended(
      runtime,
      ids.map((id) => heldTaskKey(job.connection, id)),
    )
    await dropKeptRows(runtime.pool, job.connection, ids)
  }

  private async hold(profile: string, { held }: Resolved): Promise<void> {
    const { runtime, job } = this
    for (const order of held) await askForMendedRows(runtime, job.connection, order)
    await keepRows(
      runtime.pool,
      job.connection,
      job.id,
      held.map(({ externalId, rows, flagged }) => ({ externalId, profile, rows, flagged })),
    )
  }

  private async finish(file: FileSummary): Promise<void> {
    const { runtime, job, result } = this
    result.profile = file.profile
    result.rows = file.rows
    result.errors = [...[...this.heldErrors.values()].flat(), ...file.withoutNumber].sort((a, b) => a.row - b.row)
    this.progress = { ...this.progress, rowsRead: this.progress.rowsTotal ?? this.progress.rowsRead }
    await this.sayWhatItIs(file)
    await rememberLayout(runtime.pool, file.fingerprint, file.profile)
    await askForOrderNumbers(runtime, job, file)
  }
}

async function closeMended(runtime: Runtime, keys: string[]): Promise<void> {
  const open = await runtime.pool.query<{ key: string }>(`select key from tasks where state = 'open' and key = any($1)`, [keys])
  for (const { key } of open.rows) await closeTasks(runtime.pool, { key }, 'a good row came')
}

function count(result: ImportResult, mapped: Awaited<ReturnType<typeof mapRecord>>): void {
  if (mapped.received !== undefined) result[mapped.received] += 1
  else if (mapped.state === 'failed') result.failed += 1
  else if (mapped.state === 'ignored') result.gone += 1
}

const rowsOf = (errors: RowError[]): string =>
  errors.map((error) => `row ${error.row}, ${error.column}: ${error.message}`).join('; ')

async function askForMendedRows(
  runtime: Runtime,
  connection: string,
  { externalId, errors }: { externalId: string; errors: RowError[] },
): Promise<void> {
  await openTask(runtime.pool, {
    kind: 'import.wrongRow',
    key: heldTaskKey(connection, externalId),
    connection,
    subject: externalId,
    title: `Order ${externalId} is held: ${new Set(errors.map(({ row }) => row)).size === 1 ? 'a row of it is' : 'rows of it are'} wrong`,
    detail: rowsOf(errors),
    remedy: 'Correct the rows and import the file again, or a file with these rows alone; what is known already does not change.',
    field: errors[0]?.column ?? null,
    value: errors[0]?.value ?? null,
    actions: ['skip'],
  })
}

/** Rows without an order number hold no order back, so one task tells of them all; the mended file, under its name, closes it. */
async function askForOrderNumbers(runtime: Runtime, job: Import, file: FileSummary): Promise<void> {
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
