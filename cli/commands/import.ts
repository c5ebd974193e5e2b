/** import FILE */
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileSettings } from '../../activities/fileSettings.ts'
import { runImport, startImport } from '../../activities/imports.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import {
  annotate,
  dryRun,
  readOrdersInWorker,
  type DryRun,
  type FileOrders,
  type ReadOptions,
  type RowError,
} from '../../mappings/files/index.ts'
import { getImport, type ImportResult } from '../../store/imports.ts'
import type { ExitCode } from '../exit.ts'
import { lookupOf } from '../importPreview.ts'
import { bold, complain, dim, green, print, printJson, red, table, yellow } from '../output/text.ts'
import { askPassword } from '../password.ts'
import { withRuntime } from '../session.ts'

export interface ImportOptions {
  connection?: string
  profile?: string
  password?: string
  dryRun?: boolean
  annotate?: string
  json?: boolean
}

export async function importFile(path: string, options: ImportOptions): Promise<ExitCode> {
  const { connection, profile } = options
  if (profile !== undefined) return await preview(path, { profile }, options)
  const name = connection ?? ''
  return await withRuntime(async (runtime) =>
    options.dryRun
      ? await preview(path, { connection: name, ...(await fileSettings(runtime, name)) }, options, runtime)
      : await takeIn(runtime, path, name, options),
  )
}

/** Runs `read`; a workbook that turns out to be encrypted is asked about, once, where somebody can answer. */
async function withPassword<T>(given: string | undefined, read: (password: string | undefined) => Promise<T>): Promise<T> {
  try {
    return await read(given)
  } catch (error) {
    const isLocked = error instanceof OmnisagaError && error.code === 'passwordNeeded'
    if (!isLocked || given !== undefined || !process.stdin.isTTY) throw error
    return await read(await askPassword('Password of the workbook: '))
  }
}

async function preview(
  path: string,
  read: Omit<ReadOptions, 'password'>,
  options: ImportOptions,
  runtime?: Runtime,
): Promise<ExitCode> {
  const file = await withPassword(options.password, async (password) => {
    const found = await readOrdersInWorker({ path }, { ...read, password })
    await writeAnnotated(path, found, password, options)
    return found
  })
  const result = await dryRun(file, runtime && lookupOf(runtime))
  if (options.json) print(JSON.stringify(result))
  else print(describePreview(result, file.heldOrders.length))
  return result.errors.length > 0 ? 1 : 0
}

async function takeIn(runtime: Runtime, path: string, connection: string, options: ImportOptions): Promise<ExitCode> {
  const bytes = await readFile(path)
  const done = await withPassword(options.password, async (password) => {
    const id = await startImport(runtime, { bytes, fileName: basename(path), connection })
    await runImport(runtime, id, password)
    if (options.annotate !== undefined) {
      const read = { connection, ...(await fileSettings(runtime, connection)), password }
      await writeAnnotated(path, await readOrdersInWorker({ path }, read), password, options)
    }
    return await getImport(runtime.pool, id)
  })
  if (!done) throw new OmnisagaError('Transient', 'the import is gone from the database')
  const { result } = done
  const errors = result?.errors ?? []
  if (options.json) printJson(done)
  else if (done.state === 'failed' || !result) complain(`${red('error:')} ${done.error ?? 'the file could not be read'}`)
  else print(describeResult(done.id, result))
  return done.state === 'failed' || errors.length > 0 || (result?.failed ?? 0) > 0 ? 1 : 0
}

async function writeAnnotated(
  path: string,
  file: FileOrders,
  password: string | undefined,
  { annotate: out, json }: ImportOptions,
): Promise<void> {
  if (out === undefined) return
  await writeFile(out, await annotate({ path }, file, { password }))
  if (!json) complain(dim(`Written: ${out}`))
}

const count = (value: number, what: string, paint: (text: string) => string = (text) => text) => paint(`${value} ${what}`)

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
    dim('Correct the file and import it again: what is taken in already stays as it is.'),
  ]
}

const describePreview = (result: DryRun, heldOrders: number): string =>
  [
    bold(`Nothing was changed. ${result.profile}: ${result.rows} rows`),
    `  ${[
      count(result.orders.length, 'orders can be taken in', green),
      count(result.changed, 'would change'),
      count(result.duplicates, 'known or repeated'),
      count(result.blocked, 'would wait for a person', result.blocked > 0 ? yellow : undefined),
    ].join(', ')}`,
    ...errorTable(result.errors, heldOrders),
  ].join('\n')

const describeResult = (id: string, result: ImportResult): string =>
  [
    bold(`Import ${id}: ${result.rows} rows`),
    `  ${[
      count(result.new, 'new', green),
      count(result.known, 'known'),
      count(result.changed, 'changed'),
      count(result.filled, 'filled in'),
      count(result.failed, 'not understood', result.failed > 0 ? red : undefined),
    ].join(', ')} orders`,
    ...errorTable(result.errors, result.heldOrders.length),
  ].join('\n')
