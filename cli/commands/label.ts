/** label ORDER|PARCEL... */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'
import { printLabels } from '../../activities/labels.ts'
import type { ExitCode } from '../exit.ts'
import { complain, dim, green, print, printJson, red } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export interface LabelOptions {
  out: string
  json?: boolean
}

const ENDINGS: [type: string, ending: string][] = [
  ['text/html', '.html'],
  ['application/pdf', '.pdf'],
  ['image/png', '.png'],
]
const endingOf = (contentType: string) => ENDINGS.find(([type]) => contentType.startsWith(type))?.[1] ?? ''

/** One document goes to FILE as named; of several (a courier or service each) the second is FILE-2, and so on. */
export function fileNameOf(out: string, contentType: string, index: number): string {
  const given = extname(out)
  const ending = given || endingOf(contentType)
  const stem = given ? out.slice(0, -given.length) : out
  return index === 0 ? `${stem}${ending}` : `${stem}-${index + 1}${given && index > 0 ? endingOf(contentType) || given : ending}`
}

export async function label(named: string[], { out, json }: LabelOptions): Promise<ExitCode> {
  const { documents, refused } = await withRuntime((runtime) => printLabels(runtime, named))
  const written = documents.map(({ document, ...rest }, index) => {
    const file = resolve(fileNameOf(out, document.contentType, index))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, document.bytes)
    return { file, contentType: document.contentType, ...rest }
  })
  if (json) printJson({ documents: written, refused })
  else {
    for (const { file, service, parcels } of written)
      print(`${green('printed')}  ${file}  ${dim(`${service}, ${parcels.length} parcel(s)`)}`)
    for (const { parcel, reason, remedy } of refused) complain(`${red('not printed')}  ${parcel}: ${reason}\n  ${remedy}`)
  }
  return refused.length > 0 ? 1 : 0
}
