/** What an import did, or would do, in words. */
import type { DryRun, FileOrders, RowError } from '../../mappings/files/index.ts'
import type { Import, ImportResult } from '../../store/imports.ts'
import type { Seen } from '../importPreview.ts'
import { bold, dim, green, red, table, yellow } from './text.ts'

const count = (value: number, what: string, paint: (text: string) => string = (text) => text) => paint(`${value} ${what}`)
const percent = (confidence: number) => `${Math.round(confidence * 100)} %`

function errorTable(errors: Omit<RowError, 'code'>[], heldOrders: number): string[] {
  if (errors.length === 0) return []
  return [
    '',
    red(
      `${errors.length} wrong cell${errors.length === 1 ? '' : 's'}; ${heldOrders} order${heldOrders === 1 ? '' : 's'} held back, the others go on:`,
    ),
    table(errors, [
      { title: 'ROW', of: (each) => each.row, right: true },
      { title: 'COLUMN', of: (each) => each.column, most: 20 },
      { title: 'VALUE', of: (each) => each.value, most: 24 },
      { title: 'WHAT TO DO', of: (each) => each.message, most: 160 },
    ]),
    dim('Correct the file and import it again, or the mended rows alone: what is taken in already stays as it is.'),
  ]
}

/** How the profile was found, where it was not named. */
function guessed(file: Pick<FileOrders, 'candidates' | 'confidence'>): string {
  const [best, next] = file.candidates
  if (!best) return ''
  const how = best.remembered ? 'known by its headers' : `guessed, ${percent(file.confidence)} sure`
  return ` (${how}${next && !best.remembered ? `; next ${next.profile}, ${percent(next.confidence)}` : ''})`
}

export const describePreview = (result: DryRun, file: FileOrders, seen: Seen | undefined): string =>
  [
    bold(`Nothing was changed. ${result.profile}${guessed(file)}: ${result.rows} rows`),
    `  ${[
      ...(seen
        ? [count(seen.new, 'new', green), count(result.changed, 'would change')]
        : [count(result.orders.length, 'orders can be taken in', green)]),
      count(result.duplicates, 'known or repeated'),
      ...(seen
        ? [
            count(seen.picking, 'being picked already: would not change', seen.picking > 0 ? yellow : undefined),
            count(seen.waiting, 'would wait for a person', seen.waiting > 0 ? yellow : undefined),
          ]
        : []),
    ].join(', ')}`,
    ...errorTable(result.errors, file.heldOrders.length),
  ].join('\n')

export const describeResult = ({ id, state, profile, confidence, progress }: Import, result: ImportResult): string =>
  [
    bold(
      `Import ${id}: ${result.rows || (progress?.rowsRead ?? 0)} rows, ${profile}${confidence === null ? '' : ` (guessed, ${percent(confidence)} sure)`}`,
    ),
    ...(state === 'cancelled'
      ? [
          yellow(
            '  Stopped. The orders below are taken in and go on; the others are untouched. The same file again takes in the rest.',
          ),
        ]
      : []),
    `  ${[
      count(result.new, 'new', green),
      count(result.known, 'known'),
      count(result.changed, 'changed'),
      count(result.filled, 'filled in'),
      count(result.failed, 'not understood', result.failed > 0 ? red : undefined),
      ...(result.gone > 0 ? [count(result.gone, 'gone before they were seen')] : []),
    ].join(', ')} orders`,
    ...errorTable(result.errors, result.heldOrders.length),
  ].join('\n')
