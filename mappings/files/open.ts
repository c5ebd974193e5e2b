/** Opens an order file by what it contains, never by its name. */
import { open, readFile, stat } from 'node:fs/promises'
import { openCompound, isCompound } from './cfb.ts'
import { openCsv } from './csv.ts'
import { decrypt, isEncrypted } from './encrypted.ts'
import { orDamaged, tooBig, unreadable } from './errors.ts'
import { DEFAULT_LIMITS } from './types.ts'
import type { FileSource, Limits, Workbook } from './types.ts'
import { openXls } from './xls.ts'
import { openXlsx } from './xlsx/workbook.ts'

const HEAD_BYTES = 512

async function headOf(source: FileSource, limits: Limits): Promise<Buffer> {
  if ('bytes' in source) {
    if (source.bytes.length > limits.maxFileBytes)
      throw tooBig(`${source.bytes.length} bytes, ${limits.maxFileBytes} are allowed`)
    return source.bytes.subarray(0, HEAD_BYTES)
  }
  const found = await stat(source.path).catch((error: unknown) => {
    // Only its absence is plain; permissions and the like are told as they are.
    const reason = error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : String(error)
    throw unreadable('noFile', `${source.path} cannot be opened: ${reason}.`, 'Check the path.')
  })
  if (!found.isFile()) throw unreadable('noFile', `${source.path} is not a file.`, 'Give the path of the order file itself.')
  if (found.size > limits.maxFileBytes) throw tooBig(`${found.size} bytes, ${limits.maxFileBytes} are allowed`)
  const file = await open(source.path)
  try {
    const buffer = Buffer.alloc(HEAD_BYTES)
    const { bytesRead } = await file.read(buffer, 0, HEAD_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

const bytesOf = async (source: FileSource) => ('bytes' in source ? source.bytes : readFile(source.path))

/**
 * @param options.password for encrypted workbooks; ignored for others.
 * @throws OmnisagaError Invalid with code `empty`, `wrongType`, `damaged`, `tooBig`, `passwordNeeded`, `passwordWrong`, `encoding`, `doctype`.
 */
export async function openWorkbook(
  source: FileSource,
  options: { password?: string | undefined; limits?: Partial<Limits> } = {},
): Promise<Workbook> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const head = await headOf(source, limits)
  if (head.length === 0) throw unreadable('empty', 'The file is empty.', 'Export it again from the channel.')
  if (head.readUIntBE(0, Math.min(4, head.length)) === 0x504b0304) return openXlsx(source, limits)
  if (isCompound(head)) return openCompoundWorkbook(await bytesOf(source), limits, options.password)
  refuseOthers(head)
  return openCsv(source, limits)
}

async function openCompoundWorkbook(bytes: Buffer, limits: Limits, password: string | undefined): Promise<Workbook> {
  const compound = await openCompound(bytes)
  const package_ = compound.stream('/EncryptedPackage')
  const old = compound.stream('/Workbook')
  if (!package_ && !old) return openXls(bytes, limits)
  if (!(await orDamaged('its encryption', () => isEncrypted(bytes)))) return openXls(bytes, limits)
  const plain = await decrypt(bytes, password)
  return package_ ? openXlsx({ bytes: plain, fileName: '' }, limits, true) : openXls(plain, limits, true)
}

const KNOWN: [RegExp, string][] = [
  [/^%PDF/, 'a PDF'],
  [/^\x89PNG|^\xff\xd8\xff|^GIF8/, 'a picture'],
  [/^\x1f\x8b|^7z\xbc\xaf|^Rar!/, 'a packed archive'],
  [/^\s*(\xef\xbb\xbf)?\s*(<!doctype html|<html|<table|<meta)/i, 'a web page'],
  [/^\s*(\xef\xbb\xbf)?\s*<\?xml/i, 'an XML file'],
  [/^\s*[{[]/, 'JSON'],
  [/^PK/, 'a zip file that is damaged or empty'],
]

function refuseOthers(head: Buffer): void {
  const text = head.toString('latin1')
  const kind = KNOWN.find(([pattern]) => pattern.test(text))?.[1]
  if (kind === undefined) return
  throw unreadable(
    'wrongType',
    `This is ${kind}, not an order file.`,
    'Import the .xlsx, .xls or .csv that the channel exports; open what Excel can open and save it as .xlsx.',
  )
}
