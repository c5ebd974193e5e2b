/** alias set CHANNEL EXTERNAL SKU, alias list */
import { userInfo } from 'node:os'
import { chooseSku } from '../../activities/aliases.ts'
import { listAliases, type Alias } from '../../store/aliases.ts'
import type { ExitCode } from '../exit.ts'
import { green, print, printJson, safe, table } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export async function set(alias: Alias, { json }: { json?: boolean }): Promise<ExitCode> {
  const done = await withRuntime((runtime) => chooseSku(runtime, alias, `cli:${userInfo().username}`))
  if (json) printJson(done)
  else {
    const waited = done.orders.length
    print(
      `${green(done.changed ? 'remembered' : 'known already')}  ${safe(done.channel)}: ${safe(done.externalSku)} is ${safe(done.sku)}` +
        (waited > 0 ? `; ${waited} waiting order${waited === 1 ? ' goes' : 's go'} on` : ''),
    )
  }
  return 0
}

export async function list({ channel, json }: { channel?: string; json?: boolean }): Promise<ExitCode> {
  const aliases = await withRuntime(({ pool }) => listAliases(pool, { channel }))
  if (json) printJson({ aliases })
  else if (aliases.length === 0) print('No aliases.')
  else
    print(
      table(aliases, [
        { title: 'CHANNEL', of: (each) => each.channel },
        { title: 'ARTICLE', of: (each) => each.externalSku },
        { title: 'SKU', of: (each) => each.sku },
      ]),
    )
  return 0
}
