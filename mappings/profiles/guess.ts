/** Which profile a header row is of: by the fingerprint that was seen before, else by how much of it each profile explains. */
import type { SheetRow } from '../files/types.ts'
import { normaliseHeader } from '../normalise/index.ts'
import { missingColumns, readHeader, type Header } from './columns.ts'
import { fingerprintOf, REMARK_HEADER } from './fingerprint.ts'
import type { Profile } from './types.ts'

export interface Candidate {
  profile: string
  /** 0 to 1. */
  confidence: number
  /** True when this very set of headers was read before. */
  remembered: boolean
}
export interface HeaderGuess {
  header: Header
  fingerprint: string
  /** Best first. */
  candidates: Candidate[]
}

/** Below this nobody should say that it is certain. */
export const CERTAIN = 0.75
/** The next one must be this much less likely. */
export const LEAD = 0.15

const knownHeaders = new WeakMap<Profile, Set<string>>()
function headersOf(profile: Profile): Set<string> {
  let known = knownHeaders.get(profile)
  if (!known) {
    known = new Set(
      [...Object.values(profile.columns), ...(profile.otherHeaders ? [profile.otherHeaders] : [])].flat().map(normaliseHeader),
    )
    knownHeaders.set(profile, known)
  }
  return known
}

/** @param remembered profile names by fingerprint. @returns null when no profile has its needed columns in this row. */
export function guessHeader(
  row: SheetRow,
  profiles: readonly Profile[],
  remembered: ReadonlyMap<string, string>,
): HeaderGuess | null {
  const found: { candidate: Candidate; header: Header; share: number }[] = []
  let fingerprint = ''
  for (const profile of profiles) {
    const header = readHeader(profile, row)
    if (missingColumns(profile, header).length > 0) continue
    const names = header.names.filter((name) => name !== undefined && name !== '' && name !== REMARK_HEADER)
    fingerprint ||= fingerprintOf(names)
    const known = headersOf(profile)
    const explained = names.filter((name) => known.has(normaliseHeader(name))).length / names.length
    const isRemembered = remembered.get(fingerprint) === profile.name
    found.push({
      candidate: {
        profile: profile.name,
        confidence: isRemembered ? 1 : Math.round(explained * 99) / 100,
        remembered: isRemembered,
      },
      header,
      // Of two that explain as much, the one of whose own columns more are there.
      share: header.columnOfField.size / Object.keys(profile.columns).length,
    })
  }
  const order = (each: (typeof found)[number]) =>
    Number(each.candidate.remembered) * 2 + each.candidate.confidence + each.share / 1000
  found.sort((a, b) => order(b) - order(a))
  const [best] = found
  return best ? { header: best.header, fingerprint, candidates: found.map(({ candidate }) => candidate) } : null
}

/** @returns the one that is meant, or null when nobody can be sure. */
export function certain(candidates: readonly Candidate[]): Candidate | null {
  const [best, next] = candidates
  if (!best || (!best.remembered && best.confidence < CERTAIN)) return null
  return best.remembered || next === undefined || best.confidence - next.confidence >= LEAD ? best : null
}
