/** Layouts that were taught, by version, and the sets of headers that were read before. */
import type { Queryable } from './db.ts'

export interface StoredProfile {
  name: string
  version: number
  channel: string
  title: string
  layout: Record<string, unknown>
  yaml: string
  appliedAt: string
  appliedBy: string
}

const COLUMNS = `name, version, channel, title, layout, yaml, applied_by as "appliedBy",
  to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "appliedAt"`

/** A document that says the same as the newest version makes none. @returns the version in use. */
export async function saveProfile(
  db: Queryable,
  profile: {
    name: string
    channel: string
    title: string
    layout: Record<string, unknown>
    yaml: string
    by: string
    fingerprint: string
  },
): Promise<{ version: number; isNew: boolean }> {
  const newest = await db.query<{ version: number; same: boolean }>(
    'select version, layout = $2::jsonb as same from profiles where name = $1 order by version desc limit 1',
    [profile.name, JSON.stringify(profile.layout)],
  )
  const [known] = newest.rows
  const version = known === undefined ? 1 : known.same ? known.version : known.version + 1
  const inserted = await db.query(
    `insert into profiles (name, version, channel, title, layout, yaml, applied_by) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (name, version) do nothing`,
    [profile.name, version, profile.channel, profile.title, JSON.stringify(profile.layout), profile.yaml, profile.by],
  )
  await rememberLayout(db, profile.fingerprint, profile.name)
  return { version, isNew: inserted.rowCount === 1 }
}

/** The newest version of each. */
export async function listProfiles(db: Queryable): Promise<StoredProfile[]> {
  const rows = await db.query<StoredProfile>(`select distinct on (name) ${COLUMNS} from profiles order by name, version desc`)
  return rows.rows
}

export async function getProfile(db: Queryable, name: string, version?: number): Promise<StoredProfile | null> {
  const rows = await db.query<StoredProfile>(
    `select ${COLUMNS} from profiles where name = $1 and ($2::integer is null or version = $2) order by version desc limit 1`,
    [name, version ?? null],
  )
  return rows.rows[0] ?? null
}

/** The next file with these headers is of this profile. */
export async function rememberLayout(db: Queryable, fingerprint: string, profile: string): Promise<void> {
  await db.query(
    `insert into profile_layouts (fingerprint, profile) values ($1, $2)
     on conflict (fingerprint) do update set profile = excluded.profile, seen_at = now(), files = profile_layouts.files + 1`,
    [fingerprint, profile],
  )
}

/** Profile names by fingerprint, the newest 1,000. */
export async function rememberedLayouts(db: Queryable): Promise<Record<string, string>> {
  const rows = await db.query<{ fingerprint: string; profile: string }>(
    'select fingerprint, profile from profile_layouts order by seen_at desc limit 1000',
  )
  return Object.fromEntries(rows.rows.map(({ fingerprint, profile }) => [fingerprint, profile]))
}
