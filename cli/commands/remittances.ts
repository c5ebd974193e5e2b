/** remittances pull CONNECTION */
import { pullRemittances, usualWindow } from '../../activities/remittances.ts'
import { Misuse, type ExitCode } from '../exit.ts'
import { dim, print, printJson, yellow } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export interface RemittanceOptions {
  from?: string
  to?: string
  json?: boolean
}

const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))

export async function pullPaidOut(name: string, { from, to, json }: RemittanceOptions): Promise<ExitCode> {
  const usual = usualWindow(new Date())
  const window = { from: from ?? usual.from, to: to ?? usual.to }
  if (!isDay(window.from) || !isDay(window.to)) throw new Misuse('--from and --to are days: 2026-11-01')
  if (window.from > window.to) throw new Misuse('--from is after --to')
  const result = await withRuntime((runtime) => pullRemittances(runtime, name, window))
  if (json) printJson({ ...window, ...result })
  else {
    print(`${result.lines} lines from ${window.from} to ${window.to}: ${result.matched} matched, ${result.known} known.`)
    if (result.differing + result.unknown > 0)
      print(
        yellow(
          `${result.differing} differ from what was due, ${result.unknown} of parcels nobody knows: omnisaga tasks shows them.`,
        ),
      )
    else print(dim('Nothing differs.'))
  }
  return result.differing + result.unknown > 0 ? 1 : 0
}
