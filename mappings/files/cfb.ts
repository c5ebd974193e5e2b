/** Compound files (MS-CFB): what .xls and encrypted .xlsx are packed in. A typed door to SheetJS' CFB module. */
import { CFB } from '@e965/xlsx'
import { orDamaged } from './errors.ts'

interface CfbEntry { name: string; type: number; content: Uint8Array; size: number }
interface CfbContainer { FullPaths: string[]; FileIndex: CfbEntry[] }
interface CfbModule {
  read(bytes: Buffer, options: { type: 'buffer' }): CfbContainer
  find(container: CfbContainer, path: string): CfbEntry | null
  write(container: CfbContainer, options: { type: 'buffer'; fileType: 'cfb' }): Buffer
  utils: { cfb_add(container: CfbContainer, name: string, content: Uint8Array, options: { unsafe: boolean }): unknown
    cfb_del(container: CfbContainer, name: string): boolean }
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

export async function openCompound(bytes: Buffer): Promise<Compound> {
  const container = await orDamaged('its container', () => cfb.read(bytes, { type: 'buffer' }))
  const find = (name: string) => {
    const entry = cfb.find(container, name)
    return entry && entry.type === 2 ? entry : null
  }
  return {
    stream(name) {
      const entry = find(name)
      return entry ? Buffer.from(entry.content).subarray(0, entry.size) : null
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
