/** What a connection says about the files that are uploaded for it. */
import { OmnisagaError } from '../domain/errors.ts'
import type { Runtime } from './runtime.ts'

/** Where orders of a connection belong and how its files are read. @throws OmnisagaError Misconfigured when it takes no files. */
export async function fileSettings(
  runtime: Runtime,
  name: string,
): Promise<{ profile: string; channel: string; shop: string; zone: string }> {
  const { connector, context } = await runtime.connection(name, { evenIfStopped: true })
  const config = context.connection.config as { profile?: string; zone?: string }
  const identity = connector.identity?.(context.connection)
  const profile = config.profile ?? (connector.name === 'shopee' ? 'shopee-tw' : undefined)
  if (identity === undefined || profile === undefined) {
    throw new OmnisagaError('Misconfigured', `connection ${name} takes no files`, {
      remedy: 'Name a connection that has a profile, see omnisaga connections list.',
    })
  }
  return { ...identity, profile, zone: config.zone ?? 'Asia/Taipei' }
}
