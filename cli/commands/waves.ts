/** waves list | make LOCATION | pick-list WAVE --out FILE */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pickListOf } from '../../activities/packing/papers.ts'
import { makeWavesNow } from '../../activities/waves.ts'
import { listWaves } from '../../store/waves.ts'
import type { ExitCode } from '../exit.ts'
import { dim, green, print, printJson } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export async function list({ location, json }: { location?: string; json?: boolean }): Promise<ExitCode> {
  const waves = await withRuntime((runtime) => listWaves(runtime.pool, { location, limit: 50 }))
  if (json) printJson({ waves })
  else if (waves.length === 0) print('No waves yet.')
  else
    for (const { id, location: at, units, packed, sortedBy, createdAt } of waves)
      print(`${id}  ${at}  ${packed}/${units} packed  ${dim([createdAt, ...Object.values(sortedBy)].join('  '))}`)
  return 0
}

export async function make(location: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const waves = await withRuntime((runtime) => makeWavesNow(runtime, location))
  if (json) printJson({ waves })
  else if (waves.length === 0) print(`Nothing is ready at ${location}.`)
  else for (const id of waves) print(`${green('made')}  ${id}`)
  return 0
}

export async function printPickList(wave: string, { out }: { out: string }): Promise<ExitCode> {
  const bytes = await withRuntime((runtime) => pickListOf(runtime.pool, wave, new Date()))
  writeFileSync(resolve(out), bytes)
  print(`${green('printed')}  ${resolve(out)}`)
  return 0
}
