import { openWorkbook } from '../../mappings/files/open.ts'
import type { Limits, SheetRow } from '../../mappings/files/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'

export const bytesSource = (bytes: Buffer) => ({ bytes, fileName: 'any.bin' })

export async function rowsOf(
  bytes: Buffer,
  options: { password?: string; limits?: Partial<Limits>; sheet?: number } = {},
): Promise<SheetRow[]> {
  const workbook = await openWorkbook(bytesSource(bytes), options)
  try {
    const rows: SheetRow[] = []
    const sheet = workbook.sheets[options.sheet ?? 0]
    if (!sheet) throw new Error('no such sheet')
    for await (const row of sheet.rows()) rows.push(row)
    return rows
  } finally {
    workbook.close()
  }
}

/** The error of something that must fail. */
export async function refused(action: () => Promise<unknown>): Promise<OmnisagaError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof OmnisagaError) return error
    throw error
  }
  throw new Error('it was accepted')
}
