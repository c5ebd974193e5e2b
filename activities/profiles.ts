/** Teaching a layout: its YAML is checked, kept by version, and its headers are remembered. */
import { PROFILES } from '../mappings/profiles/index.ts'
import { fingerprintOfLayout, parseLayout } from '../mappings/profiles/layout.ts'
import type { Queryable } from '../store/db.ts'
import { listProfiles, saveProfile } from '../store/profiles.ts'

export const BUILT_IN: ReadonlySet<string> = new Set(PROFILES.map(({ name }) => name))

/** @throws InvalidLayout with line, path, value and remedy of every problem. */
export async function applyProfile(
  db: Queryable,
  yaml: string,
  by: string,
): Promise<{ name: string; version: number; isNew: boolean; fingerprint: string }> {
  const layout = parseLayout(yaml, BUILT_IN)
  const fingerprint = fingerprintOfLayout(layout)
  const { name } = layout
  const saved = await saveProfile(db, {
    name,
    channel: layout.channel ?? name,
    title: layout.title ?? name,
    layout,
    yaml,
    by,
    fingerprint,
  })
  return { name, ...saved, fingerprint }
}

export async function profileList(
  db: Queryable,
): Promise<{ name: string; title: string; channel: string; version: number | null }[]> {
  return [
    ...PROFILES.map(({ name, title, channel }) => ({ name, title, channel, version: null })),
    ...(await listProfiles(db)).map(({ name, title, channel, version }) => ({ name, title, channel, version })),
  ]
}
