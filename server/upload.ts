/** One uploaded file with its fields, read with caps; what it is, is told by its first bytes and never by its name. */
import type { MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

export interface Upload {
  bytes: Buffer
  fileName: string
  connection: string
  /** Before the connection's own; undefined: the connection's, else guessed. */
  profile: string | undefined
  password: string | undefined
}

const isZip = (bytes: Buffer) => bytes.subarray(0, 4).equals(Buffer.from([0x50, 0x4b, 0x03, 0x04]))
/** Old Office files and encrypted new ones. */
const isCompoundFile = (bytes: Buffer) =>
  bytes.subarray(0, 8).equals(Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]))
/** Text of any encoding has neither NUL nor the control characters of binary files; UTF-16 starts with its mark. */
const isText = (bytes: Buffer) => {
  const start = bytes.subarray(0, 4096)
  if (start.length >= 2 && ((start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff))) return true
  return !start.some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b))
}
const MARKUP_OR_PDF = /^(\ufeff)?\s*(<|%PDF|\{|\[)/

/** @throws Problem 400 for an empty file, 415 for one that is neither Excel nor CSV. */
export function checkFileType(bytes: Buffer): void {
  if (bytes.length === 0) throw badUpload('file', 'is empty', 'Export the file again and send it whole.')
  if (isZip(bytes) || isCompoundFile(bytes)) return
  if (isText(bytes) && !MARKUP_OR_PDF.test(bytes.subarray(0, 64).toString('latin1'))) return
  throw new Problem(415, 'Unsupported file', 'The file is neither an Excel workbook (.xlsx, .xls) nor CSV text.', {
    errors: [
      {
        path: 'file',
        value: null,
        message: 'is of another type',
        remedy: 'Send the file as the channel exported it.',
      },
    ],
  })
}

const badUpload = (path: string, message: string, remedy: string): Problem =>
  new Problem(400, 'Invalid input', `The upload is not valid: ${path} ${message}`, {
    errors: [{ path, value: null, message, remedy }],
  })

const KNOWN_FIELDS = new Set(['connection', 'profile', 'password'])

/** @throws Problem 400, 413, 415; errors of the multipart parser are put into words by problem.ts. */
export async function readUpload(request: FastifyRequest): Promise<Upload> {
  if (!request.isMultipart())
    throw new Problem(415, 'Unsupported media type', 'Send the file as multipart/form-data with the fields connection and file.')
  const fields = new Map<string, string>()
  let file: { bytes: Buffer; fileName: string } | null = null
  for await (const part of request.parts()) {
    if (part.type === 'file') file = { bytes: await wholeFile(part), fileName: plainName(part.filename) }
    else if (KNOWN_FIELDS.has(part.fieldname) && typeof part.value === 'string') fields.set(part.fieldname, part.value)
    else
      throw badUpload(
        part.fieldname.slice(0, 60),
        'is not a field of this form',
        'Send file, connection, profile and password only.',
      )
  }
  const connection = fields.get('connection')
  if (!file) throw badUpload('file', 'is missing', 'Send the file as the part `file`.')
  if (connection === undefined || connection === '')
    throw badUpload('connection', 'is missing', 'Name the connection the file belongs to.')
  if (connection.includes('\u0000')) throw badUpload('connection', 'holds NUL', 'Remove the character.')
  checkFileType(file.bytes)
  const profile = fields.get('profile') || undefined
  if (profile?.includes('\u0000')) throw badUpload('profile', 'holds NUL', 'Remove the character.')
  return { ...file, connection, profile, password: fields.get('password') || undefined }
}

async function wholeFile(part: MultipartFile): Promise<Buffer> {
  const bytes = await part.toBuffer()
  if (part.file.truncated) throw new Problem(413, 'Too large', 'The file is larger than 50 MB. Split it.')
  return bytes
}

/** The last part of the name, without what no file system would take. */
const plainName = (name: string | undefined): string =>
  (name ?? '')
    .split(/[/\\]/)
    .at(-1)
    ?.replaceAll(/[\p{Cc}\p{Surrogate}]/gu, '')
    .slice(0, 200) || 'upload'
