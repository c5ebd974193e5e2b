/** The reading thread: one file, its orders in batches, each sent when the one before was taken. */
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { OmnisagaError } from '../../domain/errors.ts'
import { annotate } from './annotate.ts'
import { readOrders, streamOrders } from './read.ts'
import type { FileSource } from './types.ts'
import type { WorkerInput, WorkerOutput } from './worker.ts'

const port = parentPort
if (port === null) throw new Error('this file is the start of a thread')
const tell = (message: WorkerOutput) => port.postMessage(message)

const { source: given, options, annotate: wanted } = workerData as WorkerInput
const source: FileSource =
  'path' in given
    ? given
    : { bytes: Buffer.from(given.bytes.buffer, given.bytes.byteOffset, given.bytes.byteLength), fileName: given.fileName }
try {
  if (wanted) {
    const file = await readOrders(source, options)
    const bytes = await annotate(source, { ...file, errors: [...(wanted.errors ?? file.errors)] }, options)
    tell({ kind: 'annotated', bytes })
  } else {
    const summary = await streamOrders(source, options, {
      progress: (rowsRead) => tell({ kind: 'progress', rowsRead }),
      async batch(batch) {
        const taken = once(port, 'message')
        tell({ kind: 'batch', batch })
        await taken
      },
    })
    tell({ kind: 'done', summary })
  }
} catch (error) {
  if (!(error instanceof OmnisagaError)) throw error
  tell({ kind: 'error', error: { kind: error.kind, message: error.message, code: error.code, remedy: error.remedy } })
}
// The port was listened to: it must not keep the thread.
port.unref()
