/** route simulate */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { simulateRouting, type Simulated } from '../../activities/routingSimulation.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { Routing } from '../../domain/routing/types.ts'
import type { ExitCode } from '../exit.ts'
import { complain, dim, print, printJson, table, yellow } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export interface SimulateOptions {
  orders: string
  rules: string
  json?: boolean
}

const Order = z.looseObject({ id: z.string().optional(), externalId: z.string().optional() })
const Orders = z.union([z.array(z.union([z.string(), Order])), z.looseObject({ orders: z.array(z.union([z.string(), Order])) })])
/** The `routing` part of a policy, alone or where it stands in a configuration file. */
const Rules = z.preprocess((content) => inside(inside(content, 'policy'), 'routing'), Routing)
const inside = (content: unknown, key: string): unknown =>
  typeof content === 'object' && content !== null && key in content ? (content as Record<string, unknown>)[key] : content

/** JSON is YAML. @throws Invalid that names the file, the place and the remedy. */
async function read<T>(path: string, schema: z.ZodType<T>, remedy: string): Promise<T> {
  let content: unknown
  try {
    content = parse(await readFile(path, 'utf8')) as unknown
  } catch (error) {
    throw new OmnisagaError('Invalid', `${path} cannot be read: ${(error as Error).message}`, { code: 'file', remedy })
  }
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const told = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || '(file)'}: ${issue.message}`)
  throw new OmnisagaError('Invalid', `${path}: ${told.join('; ')}`, { code: 'file', remedy })
}

const money = (minor: number | null) => (minor === null ? '?' : String(minor / 100))
const sum = (rows: Simulated[], of: (row: Simulated) => number | null) => rows.reduce((total, row) => total + (of(row) ?? 0), 0)

export async function simulate({ orders: ordersFile, rules, json }: SimulateOptions): Promise<ExitCode> {
  const routing = await read(
    rules,
    Rules,
    'Give the `routing` part of the policy: {"rules": [...], "tariffs": [...], "places": {...}}.',
  )
  const given = await read(ordersFile, Orders, 'Give a JSON list of orders, as `omnisaga orders --json` prints them.')
  const ids = (Array.isArray(given) ? given : given.orders).flatMap((each) =>
    typeof each === 'string' ? [each] : (each.id ?? each.externalId ?? []),
  )
  const found = await withRuntime((runtime) => simulateRouting(runtime, ids, routing))
  if (json) printJson(found)
  else {
    print(
      found.orders.length === 0
        ? 'None of these orders is known here.'
        : table(found.orders, [
            { title: 'ORDER', of: (row) => row.externalId, most: 24 },
            { title: 'WAS', of: (row) => row.was.join(' + ') || '-' },
            {
              title: 'WOULD BE',
              of: (row) => row.would.join(' + ') || '-',
              paint: (text, row) => (row.changed ? yellow(text) : text),
            },
            { title: 'FREIGHT', of: (row) => `${money(row.freightBeforeMinor)} > ${money(row.freightAfterMinor)}`, right: true },
            { title: 'ON TIME', of: (row) => (row.keepsPromise === null ? '' : row.keepsPromise ? 'yes' : 'no') },
            { title: 'WHY', of: (row) => row.because, most: 60 },
          ]),
    )
    const changed = found.orders.filter((row) => row.changed).length
    const priced = found.orders.filter((row) => row.freightBeforeMinor !== null && row.freightAfterMinor !== null)
    print(
      `${changed} of ${found.orders.length} would leave from elsewhere` +
        (priced.length > 0
          ? `; freight ${money(sum(priced, (row) => row.freightBeforeMinor))} > ${money(sum(priced, (row) => row.freightAfterMinor))} for the ${priced.length} that are priced`
          : ''),
    )
    const now = found.orders.filter((row) => !row.asKnownThen).length
    if (now > 0) print(dim(`${now} were never placed: judged with the stock of now`))
  }
  for (const each of found.unknown) complain(`No order answers to ${each}.`)
  return found.unknown.length > 0 ? 1 : 0
}
