/** Reads a file in a thread of its own, so that a heavy one neither blocks the server nor outlives its time. */
import { Worker } from 'node:worker_threads'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ErrorKind } from '../../domain/errors.ts'
import type { RowError } from '../profiles/types.ts'
import { unreadable } from './errors.ts'
import type { FileOrder, FileOrders, FileSummary, HeldOrder, OrderBatch, ReadOptions, Sink } from './read.ts'
import type { FileSource } from './types.ts'

export interface WorkerInput {
  source: { bytes: Uint8Array; fileName: string } | { path: string }
  options: ReadOptions
  /** Set: the annotated copy is wanted and no orders. `errors`: those to be marked, where they are known already. */
  annotate?: { errors?: readonly RowError[] | undefined }
}
/** The thread waits for an answer to each batch, so that it is never further than one ahead. */
export type WorkerOutput =
  | { kind: 'progress'; rowsRead: number }
  | { kind: 'batch'; batch: OrderBatch }
  | { kind: 'done'; summary: FileSummary }
  | { kind: 'annotated'; bytes: Uint8Array }
  | { kind: 'error'; error: { kind: ErrorKind; message: string; code: string | undefined; remedy: string | undefined } }

export interface InWorkerOptions {
  /** To look the file through, and from one batch to the next; taking a batch in does not count. @default 120 000 */
  timeoutMs?: number
  /** Heap of the thread. @default 1024 */
  maxMemoryMb?: number
  /** Ends the thread; the reading then throws the signal's reason. */
  signal?: AbortSignal
}

/** @throws OmnisagaError Invalid like readOrders, and `tooSlow` or `tooBig` when the caps are reached. */
export async function readOrdersInWorker(
  source: FileSource,
  options: ReadOptions,
  caps: InWorkerOptions = {},
): Promise<FileOrders> {
  const orders: FileOrder[] = []
  const held: HeldOrder[] = []
  const batch = async (each: OrderBatch) => {
    orders.push(...each.orders)
    held.push(...each.held)
  }
  return { ...(await streamOrdersInWorker(source, options, { batch }, caps)), orders, held }
}

/** @throws OmnisagaError Invalid like streamOrders, `tooSlow` or `tooBig` when the caps are reached; whatever the sink throws. */
export async function streamOrdersInWorker(
  source: FileSource,
  options: ReadOptions,
  sink: Sink,
  caps: InWorkerOptions = {},
): Promise<FileSummary> {
  const last = await inThread({ source, options }, sink, caps)
  if (last.kind !== 'done') throw new Error(`the reading thread answered ${last.kind}`)
  return last.summary
}

/** The annotated copy, see annotate. @param errors those to be marked; what the reading finds when they are not given. */
export async function annotateInWorker(
  source: FileSource,
  options: ReadOptions,
  errors?: readonly RowError[],
  caps: InWorkerOptions = {},
): Promise<Buffer> {
  const last = await inThread({ source, options, annotate: { errors } }, { batch: async () => undefined }, caps)
  if (last.kind !== 'annotated') throw new Error(`the reading thread answered ${last.kind}`)
  return Buffer.from(last.bytes.buffer, last.bytes.byteOffset, last.bytes.byteLength)
}

async function inThread(
  input: WorkerInput,
  sink: Sink,
  { timeoutMs = 120_000, maxMemoryMb = 1024, signal }: InWorkerOptions,
): Promise<Extract<WorkerOutput, { kind: 'done' | 'annotated' }>> {
  signal?.throwIfAborted()
  // The entry registers tsx itself: it works whatever started this process. `execArgv` is not inherited, so nothing runs twice.
  const worker = new Worker(new URL('./worker-entry.mjs', import.meta.url), {
    workerData: input,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb },
  })
  let timer: NodeJS.Timeout | undefined
  let aborted: (() => void) | undefined
  try {
    return await new Promise((resolve, reject) => {
      const alive = () => {
        clearTimeout(timer)
        timer = setTimeout(() => {
          const seconds = timeoutMs / 1000
          reject(
            unreadable(
              'tooSlow',
              `The file took longer than ${seconds} seconds to read.`,
              'Export a shorter period, or split the file.',
            ),
          )
        }, timeoutMs)
      }
      alive()
      aborted = () => reject(signal?.reason)
      signal?.addEventListener('abort', aborted)
      worker.on('message', (message: WorkerOutput) => {
        if (message.kind === 'progress') {
          sink.progress?.(message.rowsRead)
        } else if (message.kind === 'batch') {
          clearTimeout(timer)
          sink.batch(message.batch).then(() => {
            alive()
            worker.postMessage('next')
          }, reject)
        } else if (message.kind === 'error') reject(errorOf(message.error))
        else resolve(message)
      })
      worker.once('error', (error: Error & { code?: string }) => {
        reject(
          error.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? unreadable(
                'tooBig',
                'The file holds too much to be read in the memory allowed.',
                'Export a shorter period, or split the file.',
              )
            : error,
        )
      })
      worker.once('exit', (code) => {
        reject(new Error(`the reading thread ended with ${code} and no answer`))
      })
    })
  } finally {
    clearTimeout(timer)
    if (aborted) signal?.removeEventListener('abort', aborted)
    await worker.terminate()
  }
}

const errorOf = ({ kind, message, code, remedy }: Extract<WorkerOutput, { kind: 'error' }>['error']): OmnisagaError =>
  new OmnisagaError(kind, message, { ...(code !== undefined && { code }), ...(remedy !== undefined && { remedy }) })
