/** waves list | make LOCATION | pick-list WAVE --out FILE */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pickListOf } from '../../activities/packing/papers.ts'
import { makeWavesNow } from '../../activities/waves.ts'
import { listWaves } from '../../store/waves.ts'
import type { ExitCode } from '../exit.ts'
import { green, localTime, print, printJson, table } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export async function list({ location, json }: { location?: string; json?: boolean }): Promise<ExitCode> {
  const waves = await withRuntime((runtime) => listWaves(runtime.pool, { location, limit: 50 }))
  if (json) printJson({ waves })
  else if (waves.length === 0) print('No waves yet.')
  else
    print(
      table(waves, [
        { title: 'WAVE', of: ({ id }) => id },
        { title: 'LOCATION', of: ({ location: at }) => at },
        { title: 'MADE', of: ({ createdAt }) => localTime(createdAt) },
        { title: 'BOXES', of: ({ boxes }) => boxes, right: true },
        { title: 'PACKED', of: ({ packed, units }) => `${packed}/${units}`, right: true },
        { title: 'PRIORITY', of: ({ highestPriority }) => highestPriority, right: true },
        { title: 'KINDS', of: ({ kinds }) => counted(kinds), most: 40 },
        { title: 'REGIONS', of: ({ regions }) => counted(regions), most: 60 },
        { title: 'SORTED BY', of: ({ sortedBy }) => Object.values(sortedBy).filter(Boolean).join(', ') || null },
      ]),
    )
  return 0
}

const counted = (units: Record<string, number>): string =>
  Object.entries(units)
    .map(([what, n]) => `${what || '?'} ${n}`)
    .join(', ')

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
