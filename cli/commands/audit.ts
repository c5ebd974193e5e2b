/** audit */
import { createEngineAudit } from '../../activities/engineAudit.ts'
import { audit } from '../../store/audit.ts'
import type { ExitCode } from '../exit.ts'
import { dim, green, print, printJson, red, table } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export async function auditAll({ engine, json }: { engine: boolean; json?: boolean }): Promise<ExitCode> {
  const result = await withRuntime(({ pool, temporal }) => audit(pool, engine ? { engine: createEngineAudit(temporal) } : {}))
  const { ok, checked, violations } = result
  if (json) {
    printJson(result)
    return ok ? 0 : 1
  }
  const counts = dim(
    Object.entries(checked)
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
  )
  if (ok) print(`${green('Every invariant holds.')} ${counts}`)
  else {
    print(`${red(`${violations.length} violation${violations.length === 1 ? '' : 's'}.`)} ${counts}`)
    print(
      table(violations, [
        { title: 'INVARIANT', of: (each) => each.invariant },
        { title: 'ABOUT', of: (each) => each.subject },
        { title: 'WHAT', of: (each) => each.detail, most: 120 },
      ]),
    )
  }
  return ok ? 0 : 1
}
