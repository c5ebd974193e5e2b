/** The reading thread: one file, one answer. */
import { parentPort, workerData } from 'node:worker_threads'
import { OmnisagaError } from '../../domain/errors.ts'
import { readOrders } from './read.ts'
import type { WorkerInput, WorkerOutput } from './worker.ts'

async function answer({ source, options }: WorkerInput): Promise<WorkerOutput> {
  try {
    const file = await readOrders(
      'path' in source ? source : { bytes: Buffer.from(source.bytes), fileName: source.fileName },
      options,
    )
    return { ok: true, file }
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    return { ok: false, error: { kind: error.kind, message: error.message, code: error.code, remedy: error.remedy } }
  }
}

parentPort?.postMessage(await answer(workerData as WorkerInput))
