/** What a connection says about the files that are uploaded for it. */
import { OmnisagaError } from '../domain/errors.ts'
import { LayoutDocument } from '../mappings/profiles/layout.ts'
import type { Queryable } from '../store/db.ts'
import { listProfiles, rememberedLayouts } from '../store/profiles.ts'
import type { Runtime } from './runtime.ts'

export interface FileSettings {
  /** Undefined: guessed from the headers. */
  profile: string | undefined
  channel: string
  shop: string
  zone: string
  layouts: LayoutDocument[]
  remembered: Record<string, string>
}

/** The layouts that were taught, newest versions, and the headers that were read before. */
export async function taughtLayouts(db: Queryable): Promise<Pick<FileSettings, 'layouts' | 'remembered'>> {
  const [profiles, remembered] = [await listProfiles(db), await rememberedLayouts(db)]
  // What an older release checked may not be a layout any more: then it is as good as not taught.
  const layouts = profiles.flatMap(({ layout }) => {
    const parsed = LayoutDocument.safeParse(layout)
    return parsed.success ? [parsed.data] : []
  })
  return { layouts, remembered }
}

/** Where orders of a connection belong and how its files are read. @throws OmnisagaError Misconfigured when it takes no files. */
export async function fileSettings(runtime: Runtime, name: string): Promise<FileSettings> {
  const { connector, context } = await runtime.connection(name, { evenIfStopped: true })
  const config = context.connection.config as { profile?: string; zone?: string }
  const identity = connector.identity?.(context.connection)
  const profile = config.profile ?? (connector.name === 'shopee' ? 'shopee-tw' : undefined)
  if (identity === undefined || (profile === undefined && connector.kind !== 'file')) {
    throw new OmnisagaError('Misconfigured', `connection ${name} takes no files`, {
      remedy: 'Name a connection that has a profile, see omnisaga connections list.',
    })
  }
  return { ...identity, profile, zone: config.zone ?? 'Asia/Taipei', ...(await taughtLayouts(runtime.pool)) }
}
