/** A file that cannot be read is our data's fault: Invalid, with plain words and what to do about it. */
import { OmnisagaError } from '../../domain/errors.ts'

export const unreadable = (code: string, message: string, remedy: string): OmnisagaError =>
  new OmnisagaError('Invalid', message, { code, remedy })

export const tooBig = (what: string): OmnisagaError =>
  unreadable('tooBig', `The file holds too much: ${what}.`, 'Export a shorter period, or split the file and import the parts.')

export const damaged = (detail: string): OmnisagaError =>
  unreadable(
    'damaged',
    `The file is damaged or cut off: ${detail}.`,
    'Download the file from the channel again and import the new copy.',
  )

/** Runs a reader; what is not already our own error becomes `damaged`. The cause's text names bytes and offsets, never contents. */
export async function orDamaged<T>(what: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof OmnisagaError) throw error
    throw damaged(`${what} (${error instanceof Error ? error.message : String(error)})`)
  }
}
