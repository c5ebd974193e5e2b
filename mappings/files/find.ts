/** Finds the sheet and its header row: of the profile that was named, or of the one that the headers speak for. */
import { missingColumns, readHeader, type Header } from '../profiles/columns.ts'
import { fingerprintOf } from '../profiles/fingerprint.ts'
import { certain, guessHeader, type Candidate, type HeaderGuess } from '../profiles/guess.ts'
import { PROFILES } from '../profiles/index.ts'
import type { Profile } from '../profiles/types.ts'
import { unreadable } from './errors.ts'
import type { Sheet, SheetRow, Workbook } from './types.ts'

export const HEADER_WITHIN_ROWS = 60

export interface FoundSheet {
  profile: Profile
  sheet: Sheet
  header: Header
  fingerprint: string
  /** How sure the profile is; 1 when it was named. */
  confidence: number
  candidates: Candidate[]
  /** The rows after the header, once. */
  rows: AsyncIterable<SheetRow>
  /** The same again, from the first of them. */
  again(): AsyncIterable<SheetRow>
}

function sorted(workbook: Workbook, preferred: (name: string) => boolean): Sheet[] {
  return [...workbook.sheets].sort((a, b) => Number(preferred(b.name)) - Number(preferred(a.name)))
}

async function* after(sheet: Sheet, headerRow: number): AsyncGenerator<SheetRow> {
  for await (const row of sheet.rows()) if (row.row > headerRow) yield row
}

const fingerprintOfHeader = (header: Header) => fingerprintOf(header.names)

/** @throws OmnisagaError Invalid naming the columns that are missing, or the profile that the file is of. */
export async function findSheet(workbook: Workbook, profile: Profile, learned: readonly Profile[]): Promise<FoundSheet> {
  let closest: { missing: string[]; sheet: string; row: number } | null = null
  let other: string | undefined
  for (const sheet of sorted(workbook, (name) => name === profile.preferredSheet)) {
    const rows = sheet.rows()[Symbol.asyncIterator]()
    let seen = 0
    for (let next = await rows.next(); !next.done && seen < HEADER_WITHIN_ROWS; next = await rows.next(), seen++) {
      const header = readHeader(profile, next.value)
      const missing = missingColumns(profile, header)
      if (missing.length === 0) {
        return {
          profile,
          sheet,
          header,
          fingerprint: fingerprintOfHeader(header),
          confidence: 1,
          candidates: [],
          rows: { [Symbol.asyncIterator]: () => rows },
          again: () => after(sheet, header.row),
        }
      }
      if (header.columnOfField.size > 1 && (!closest || missing.length < closest.missing.length))
        closest = { missing, sheet: sheet.name, row: header.row }
      const row = next.value
      other ??= [...PROFILES, ...learned].find(
        (known) => known !== profile && missingColumns(known, readHeader(known, row)).length === 0,
      )?.name
    }
    await rows.return?.()
  }
  if (other !== undefined) {
    throw unreadable(
      'otherProfile',
      `The columns are those of ${other}, not of ${profile.name}.`,
      `Import it with the profile ${other}.`,
    )
  }
  if (closest) {
    throw unreadable(
      'missingColumns',
      `Columns of ${profile.name} are missing: ${closest.missing.join(', ')} (sheet ${closest.sheet}, header in row ${closest.row}).`,
      'Export the file with all columns, name the profile of its channel, or teach the layout: omnisaga profile new FILE.',
    )
  }
  const needed = profile.required
    .map((group) => group.map((field) => profile.columns[field]?.[0] ?? field).join(' / '))
    .join(', ')
  throw unreadable(
    'unknownHeaders',
    `No row of the file has the columns of ${profile.name}: ${needed}.${hiddenSheets(workbook)}`,
    "Check that it is the channel's order export and name the profile of its channel, or teach the layout: omnisaga profile new FILE.",
  )
}

const hiddenSheets = (workbook: Workbook) =>
  workbook.hiddenSheets.length > 0 ? ` Hidden sheets are not read: ${workbook.hiddenSheets.join(', ')}.` : ''

export const percent = (confidence: number): string => `${Math.round(confidence * 100)} %`

/** @throws OmnisagaError Invalid with code `unknownHeaders` when no profile fits and `profileUnsure`, naming them, when several may. */
export async function guessSheet(
  workbook: Workbook,
  learned: readonly Profile[],
  remembered: ReadonlyMap<string, string>,
): Promise<FoundSheet> {
  const profiles = [...PROFILES, ...learned]
  const preferred = new Set(profiles.map((profile) => profile.preferredSheet))
  let best: { guess: HeaderGuess; sheet: Sheet } | null = null
  for (const sheet of sorted(workbook, (name) => preferred.has(name))) {
    const guess = await guessWithin(sheet, profiles, remembered)
    if (guess && (best === null || (guess.candidates[0]?.confidence ?? 0) > (best.guess.candidates[0]?.confidence ?? 0)))
      best = { guess, sheet }
    if (best && certain(best.guess.candidates)) break
  }
  if (best === null) {
    throw unreadable(
      'unknownHeaders',
      `No row of the file has the columns of a known profile.${hiddenSheets(workbook)}`,
      'Check that it is an order export; teach a layout that is new with: npx omnisaga profile new FILE.',
    )
  }
  const { guess, sheet } = best
  const found = certain(guess.candidates)
  const profile = profiles.find(({ name }) => name === found?.profile)
  if (found === null || profile === undefined) {
    const list = guess.candidates.map((each) => `${each.profile} (${percent(each.confidence)})`).join(', ')
    throw unreadable(
      'profileUnsure',
      guess.candidates.length > 1
        ? `The columns fit more than one profile: ${list}.`
        : `The columns are most like ${list}, which is not certain enough.`,
      'Name the profile, or teach the layout with: npx omnisaga profile new FILE.',
    )
  }
  return {
    profile,
    sheet,
    header: guess.header,
    fingerprint: guess.fingerprint,
    confidence: found.confidence,
    candidates: guess.candidates,
    rows: after(sheet, guess.header.row),
    again: () => after(sheet, guess.header.row),
  }
}

async function guessWithin(
  sheet: Sheet,
  profiles: readonly Profile[],
  remembered: ReadonlyMap<string, string>,
): Promise<HeaderGuess | null> {
  let best: HeaderGuess | null = null
  let seen = 0
  for await (const row of sheet.rows()) {
    if (seen++ >= HEADER_WITHIN_ROWS) break
    const guess = guessHeader(row, profiles, remembered)
    if (guess && (best === null || (guess.candidates[0]?.confidence ?? 0) > (best.candidates[0]?.confidence ?? 0))) best = guess
    if (best && certain(best.candidates)) break
  }
  return best
}
