/** manifest create LOCATION COURIER --out FILE | pickup ID --from TIME --until TIME | handed-over ID */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { userInfo } from 'node:os'
import { createManifest, handedOver, manifestPaper } from '../../activities/packing/manifests.ts'
import { askForPickup } from '../../activities/packing/pickup.ts'
import type { ExitCode } from '../exit.ts'
import { complain, green, localTime, print, printJson } from '../output/text.ts'
import { withRuntime } from '../session.ts'

const who = () => `cli:${userInfo().username}`

export async function create(
  location: string,
  courier: string,
  { out, json }: { out: string; json?: boolean },
): Promise<ExitCode> {
  const { made, paper } = await withRuntime(async (runtime) => {
    const manifest = await createManifest(runtime, { location, courier, who: who() })
    return { made: manifest, paper: await manifestPaper(runtime, manifest.id, false, new Date()) }
  })
  writeFileSync(resolve(out), paper.bytes)
  if (json) printJson({ ...made, file: resolve(out), contentType: paper.contentType })
  else {
    print(`${green('closed')}  ${made.id}: ${made.parcels} parcel(s) for ${courier}  ${resolve(out)}`)
    if (made.problem !== null) complain(`The courier made no paper, ours was printed: ${made.problem}`)
  }
  return 0
}

export interface PickupOptions {
  from: string
  until: string
  instructions?: string
  json?: boolean
}

export async function pickup(id: string, { from, until, instructions, json }: PickupOptions): Promise<ExitCode> {
  const manifest = await withRuntime((runtime) => askForPickup(runtime, id, { from, until, instructions: instructions ?? null }))
  const { pickup: coming } = manifest
  if (json || coming === null) printJson(manifest)
  else {
    const number = coming.confirmation ?? coming.id
    print(
      `${green('comes')}  ${manifest.courier} for ${id}: ${localTime(coming.from)} to ${localTime(coming.until)}${number === null ? '' : `, number ${number}`}`,
    )
  }
  return 0
}

export interface HandedOverOptions {
  photo?: string
  receipt?: string
  signature?: string
  json?: boolean
}

export async function tellHandedOver(id: string, { json, ...proofs }: HandedOverOptions): Promise<ExitCode> {
  const kind = (['photo', 'receipt', 'signature'] as const).find((each) => proofs[each] !== undefined)
  const proof = kind === undefined ? null : { kind, reference: proofs[kind] ?? '' }
  const manifest = await withRuntime((runtime) => handedOver(runtime, id, { who: who(), proof }))
  if (json) printJson(manifest)
  else print(`${green('handed over')}  ${manifest.id}: ${manifest.parcels} parcel(s)`)
  return 0
}
