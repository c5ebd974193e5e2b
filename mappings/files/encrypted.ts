/** Workbooks under a password: agile and standard encryption of .xlsx, RC4 and XOR of .xls (MS-OFFCRYPTO). */
import officeCrypto from 'officecrypto-tool'
import { orDamaged, unreadable } from './errors.ts'

/** @throws OmnisagaError Invalid `passwordNeeded` or `passwordWrong`; the password never appears in it. */
export async function decrypt(bytes: Buffer, password: string | undefined): Promise<Buffer> {
  if (password === undefined || password === '') {
    throw unreadable(
      'passwordNeeded',
      'The workbook is encrypted and needs its password.',
      "Give the password with the file (--password on the command line). For Shopee Taiwan it is the last 6 digits of the shop's phone.",
    )
  }
  return orDamaged('its encryption', async () => {
    try {
      return Buffer.from(await officeCrypto.decrypt(bytes, { password }))
    } catch (error) {
      if (error instanceof Error && /password/i.test(error.message)) {
        throw unreadable(
          'passwordWrong',
          'The password does not open this workbook.',
          'Check the password that the channel showed with the export, and that it belongs to this very file.',
        )
      }
      throw error
    }
  })
}

/** Throws for a container it cannot make sense of. */
export const isEncrypted = (bytes: Buffer): boolean => officeCrypto.isEncrypted(bytes)
