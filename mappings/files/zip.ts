/** The parts of a zip package, inflated in pieces, with caps on size and ratio and the checksum compared at the end. */
import { createInflateRaw, crc32 } from 'node:zlib'
import { pipeline } from 'node:stream'
import type { Readable } from 'node:stream'
import yauzl from 'yauzl'
import type { Entry, ZipFile } from 'yauzl'
import { damaged, orDamaged, tooBig } from './errors.ts'
import type { FileSource, Limits } from './types.ts'

const PIECE_BYTES = 128 * 1024
const RATIO_JUDGED_BEYOND_BYTES = 4 * 1024 * 1024
const MAX_ENTRIES = 10_000

export interface ZipParts {
  has(name: string): boolean
  /** @throws OmnisagaError Invalid when the part is missing, larger than `maxBytes`, or damaged. */
  open(name: string, maxBytes: number): AsyncGenerator<Buffer>
  close(): void
}

const partName = (name: string) => name.replace(/\\/g, '/').replace(/^\/+/, '').toLowerCase()

/** @throws OmnisagaError Invalid when it is no complete zip. Part names are found whatever their case. */
export async function openZip(source: FileSource, limits: Limits): Promise<ZipParts> {
  const options = { lazyEntries: true, autoClose: false, validateEntrySizes: false, strictFileNames: false }
  const zip = await orDamaged('the zip directory', () =>
    'path' in source ? yauzl.openPromise(source.path, options) : yauzl.fromBufferPromise(source.bytes, options),
  )
  const entries = new Map<string, Entry>()
  try {
    await orDamaged('the zip directory', async () => {
      if (zip.entryCount > MAX_ENTRIES) throw tooBig(`${zip.entryCount} parts`)
      for await (const entry of zip.eachEntry()) entries.set(partName(entry.fileName), entry)
    })
  } catch (error) {
    zip.close()
    throw error
  }
  return {
    has: (name) => entries.has(partName(name)),
    close: () => {
      zip.close()
    },
    open: (name, maxBytes) => {
      const entry = entries.get(partName(name))
      if (!entry) throw damaged(`its part ${name} is missing`)
      return inflate(zip, entry, maxBytes, limits.maxRatio)
    },
  }
}

async function* inflate(zip: ZipFile, entry: Entry, maxBytes: number, maxRatio: number): AsyncGenerator<Buffer> {
  const name = entry.fileName
  if (entry.isEncrypted()) throw damaged(`its part ${name} is encrypted inside the zip`)
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8)
    throw damaged(`its part ${name} is compressed in an unknown way`)
  if (entry.uncompressedSize > maxBytes)
    throw tooBig(`its part ${name} grows to ${entry.uncompressedSize} bytes, ${maxBytes} are allowed`)
  const compressed = await orDamaged(name, () => zip.openReadStreamPromise(entry, { decodeFileData: false }))
  const plain: Readable =
    entry.compressionMethod === 0
      ? compressed
      : // Failures arrive through `plain`, which the loop below reads: pipeline destroys it with the error.
        pipeline(compressed, createInflateRaw({ chunkSize: PIECE_BYTES }), () => undefined)
  let bytes = 0
  let checksum = 0
  try {
    for await (const piece of plain as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > maxBytes) throw tooBig(`its part ${name} grows beyond ${maxBytes} bytes`)
      if (bytes > RATIO_JUDGED_BEYOND_BYTES && bytes > maxRatio * Math.max(1, entry.compressedSize)) {
        throw tooBig(`its part ${name} grows to more than ${maxRatio} times its size`)
      }
      checksum = crc32(piece, checksum)
      yield piece
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'Invalid') throw error
    throw damaged(`its part ${name} (${error instanceof Error ? error.message : String(error)})`)
  } finally {
    plain.destroy()
    compressed.destroy()
  }
  if (bytes !== entry.uncompressedSize || checksum !== entry.crc32) throw damaged(`its part ${name} does not match its checksum`)
}
