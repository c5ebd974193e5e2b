import { OmnisagaError } from '../../domain/errors.ts'
import { generic } from './generic.ts'
import { momo } from './momo.ts'
import { payeasy } from './payeasy.ts'
import { pchome, pchome24h } from './pchome.ts'
import { shopeeTw } from './shopee-tw.ts'
import { shopifyCsv } from './shopify-csv.ts'
import { shopline } from './shopline.ts'
import type { Profile } from './types.ts'

export { momo, shopeeTw }
export type { MapContext, Profile, RawOrder, RawRow, RowError, RowErrorCode } from './types.ts'

export const PROFILES: readonly Profile[] = [shopeeTw, momo, pchome, pchome24h, payeasy, shopifyCsv, shopline, generic]

/** @param learned those that were taught, beside ours. @throws OmnisagaError Invalid with the names there are. */
export function profileOf(name: string, learned: readonly Profile[] = []): Profile {
  const known = [...PROFILES, ...learned]
  const profile = known.find((each) => each.name === name)
  if (profile) return profile
  throw new OmnisagaError('Invalid', `There is no profile ${JSON.stringify(name)}.`, {
    code: 'unknownProfile',
    remedy: `Use one of: ${known.map((each) => each.name).join(', ')}.`,
  })
}
