/** Reads a file in a thread of its own, so that a heavy one neither blocks the server nor outlives its time. */
import { Worker } from 'node:worker_threads'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ErrorKind } from '../../domain/errors.ts'
import { unreadable } from './errors.ts'
import type { FileOrders, ReadOptions } from './read.ts'
import type { FileSource } from './types.ts'

export interface WorkerInput {
  source: { bytes: Uint8Array; fileName: string } | { path: string }
  options: ReadOptions
}
export type WorkerOutput =
  | { ok: true; file: FileOrders }
  | { ok: false; error: { kind: ErrorKind; message: string; code: string | undefined; remedy: string | undefined } }

export interface InWorkerOptions {
  /** @default 120 000 */
  timeoutMs?: number
  /** Heap of the thread. @default 1024 */
  maxMemoryMb?: number
}

/** @throws OmnisagaError Invalid like readOrders, and `tooSlow` or `tooBig` when the caps are reached. */
export async function readOrdersInWorker(
  source: FileSource,
  options: ReadOptions,
  caps: InWorkerOptions = {},
): Promise<FileOrders> {
  const { timeoutMs = 120_000, maxMemoryMb = 1024 } = caps
  // The entry registers tsx itself: it works whatever started this process. `execArgv` is not inherited, so nothing runs twice.
  const worker = new Worker(new URL('./worker-entry.mjs', import.meta.url), {
    workerData: { source, options } satisfies WorkerInput,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb },
  })
  let timer: NodeJS.Timeout | undefined
  try {
    const output = await new Promise<WorkerOutput>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(
          unreadable(
            'tooSlow',
            `The file took longer than ${timeoutMs / 1000} seconds to read.`,
            'Export a shorter period, or split the file.',
          ),
        )
      }, timeoutMs)
      worker.once('message', resolve)
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
    if (output.ok) return output.file
    const { kind, message, code, remedy } = output.error
    throw new OmnisagaError(kind, message, { ...(code !== undefined && { code }), ...(remedy !== undefined && { remedy }) })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
