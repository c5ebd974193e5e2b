/** keys add */
import { addKey } from '../../server/keys.ts'
import type { ExitCode } from '../exit.ts'
import { dim, print, printJson } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export async function addNamedKey(name: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const key = await withRuntime(({ pool }) => addKey(pool, name))
  if (json) printJson({ name, key })
  else
    print(`${key}\n${dim('Shown this once. Send it as: Authorization: Bearer KEY. From now on every API request needs a key.')}`)
  return 0
}
