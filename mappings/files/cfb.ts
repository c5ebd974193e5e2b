/** Compound files (MS-CFB): what .xls and encrypted .xlsx are packed in. A typed door to SheetJS' CFB module. */
import { CFB } from '@e965/xlsx'
import { damaged, orDamaged } from './errors.ts'

interface CfbEntry {
  name: string
  type: number
  content: Uint8Array
  size: number
  start: number
}
interface CfbContainer {
  FullPaths: string[]
  FileIndex: CfbEntry[]
}
interface CfbModule {
  read(bytes: Buffer, options: { type: 'buffer' }): CfbContainer
  find(container: CfbContainer, path: string): CfbEntry | null
  write(container: CfbContainer, options: { type: 'buffer'; fileType: 'cfb' }): Buffer
  utils: {
    cfb_add(container: CfbContainer, name: string, content: Uint8Array, options: { unsafe: boolean }): unknown
    cfb_del(container: CfbContainer, name: string): boolean
  }
}
const cfb = CFB as CfbModule

export const isCompound = (head: Buffer): boolean =>
  head.length >= 8 && head.readUInt32BE(0) === 0xd0cf11e0 && head.readUInt32BE(4) === 0xa1b11ae1

export interface Compound {
  /** The stream's bytes, or null when there is none of that name. */
  stream(name: string): Buffer | null
  /** A new container with this stream replaced; the others are kept. */
  replace(name: string, content: Buffer): Buffer
}

/**
 * Every sector of a stream must be there: the library fills what is missing without a word. The header names the first 109
 * sectors of the allocation table, enough for 7 MB; what lies beyond shows as a stream that is too short.
 */
function checkChain(bytes: Buffer, entry: CfbEntry): void {
  const sectorBytes = 1 << bytes.readUInt16LE(30)
  if (sectorBytes !== 512 && sectorBytes !== 4096) throw damaged('its container has an unknown sector size')
  const perTable = sectorBytes / 4
  let sector = entry.start
  for (let left = Math.ceil(entry.size / sectorBytes); left > 0; left--) {
    // Some writers leave out the padding of the last sector.
    const tailBytes = left === 1 ? ((entry.size - 1) % sectorBytes) + 1 : sectorBytes
    if ((sector + 1) * sectorBytes + tailBytes > bytes.length) throw damaged('its container is cut off')
    const table = Math.floor(sector / perTable)
    if (table >= 109) return
    const at = (bytes.readUInt32LE(76 + table * 4) + 1) * sectorBytes + (sector % perTable) * 4
    if (at + 4 > bytes.length) throw damaged('its container is cut off')
    sector = bytes.readUInt32LE(at)
  }
}

const MINI_STREAM_BELOW_BYTES = 4096

export async function openCompound(bytes: Buffer): Promise<Compound> {
  if (bytes.length < 512) throw damaged('its container ends in its header')
  const container = await orDamaged('its container', () => cfb.read(bytes, { type: 'buffer' }))
  const find = (name: string) => {
    const entry = cfb.find(container, name)
    return entry && entry.type === 2 ? entry : null
  }
  return {
    stream(name) {
      const entry = find(name)
      if (!entry) return null
      // Small streams lie together in the stream of the root.
      const holder = entry.size < MINI_STREAM_BELOW_BYTES ? container.FileIndex[0] : entry
      if (holder) checkChain(bytes, holder)
      if (entry.content.length < entry.size) throw damaged('its container is cut off')
      return Buffer.from(entry.content).subarray(0, entry.size)
    },
    replace(name, content) {
      const entry = find(name)
      if (!entry) throw new Error(`no stream ${name}`)
      entry.content = content
      entry.size = content.length
      return Buffer.from(cfb.write(container, { type: 'buffer', fileType: 'cfb' }))
    },
  }
}
