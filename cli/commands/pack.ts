/** pack STATION: a packing station in the terminal; a scanner types each code and ends it with Enter. */
import { createInterface } from 'node:readline'
import { stdin } from 'node:process'
import { userInfo } from 'node:os'
import { scan } from '../../activities/packing/scan.ts'
import { stationView } from '../../activities/packing/station.ts'
import type { Tone } from '../../activities/packing/words.ts'
import type { ExitCode } from '../exit.ts'
import { dim, green, print, red } from '../output/text.ts'
import { withRuntime } from '../session.ts'

const MARK: Record<Tone, string> = { ok: '  ', warn: '? ', stop: '! ', done: '= ' }

export async function pack(station: string, { location }: { location?: string }): Promise<ExitCode> {
  return await withRuntime<ExitCode>(async (runtime) => {
    print((await stationView(runtime.pool, station)).next.zh)
    for await (const code of createInterface({ input: stdin })) {
      if (code.trim() === '') continue
      const { message, next } = await scan(runtime, { station, code, location, who: `cli:${userInfo().username}` })
      const paint = message.tone === 'stop' || message.tone === 'warn' ? red : green
      print(`${paint(MARK[message.tone] + message.zh)}  ${dim(message.en)}`)
      print(`  ${next.zh}  ${dim(next.en)}`)
    }
    return 0
  })
}
