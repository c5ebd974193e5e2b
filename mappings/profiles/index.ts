export { momo } from './momo.ts'
export { shopeeTw } from './shopee-tw.ts'
export type { MapContext, Profile, RawOrder, RawRow, RowError, RowErrorCode } from './types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { momo } from './momo.ts'
import { shopeeTw } from './shopee-tw.ts'
import type { Profile } from './types.ts'

export const PROFILES: readonly Profile[] = [shopeeTw, momo]

/** @throws OmnisagaError Invalid with the names there are. */
export function profileOf(name: string): Profile {
  const profile = PROFILES.find((known) => known.name === name)
  if (profile) return profile
  throw new OmnisagaError('Invalid', `There is no profile ${JSON.stringify(name)}.`, {
    code: 'unknownProfile',
    remedy: `Use one of: ${PROFILES.map((known) => known.name).join(', ')}.`,
  })
}
