/** connections apply, list, check */
import { readFile } from 'node:fs/promises'
import { openConnection } from '../../connectors/kit/context.ts'
import { connectors } from '../../connectors/registry.ts'
import type { CheckResult } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { applyConnections } from '../../store/configuration.ts'
import { listConnections } from '../../store/connections.ts'
import type { ExitCode } from '../exit.ts'
import { dim, green, localTime, print, printJson, red, safe, table, yellow } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export async function apply(file: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const text = await readFile(file, 'utf8')
  const result = await withRuntime(({ pool, secretKey }) => applyConnections(pool, secretKey, parsed(text, file), connectors))
  if (json) printJson(result)
  else {
    if (result.connections.length > 0) {
      print(
        table(result.connections, [
          { title: 'CONNECTION', of: (each) => each.name },
          { title: 'CONNECTOR', of: (each) => each.connector },
          { title: 'VERSION', of: (each) => each.version, right: true },
          { title: 'CHANGE', of: (each) => each.change },
        ]),
      )
    }
    print(
      dim(
        `${result.locations} locations, ${result.products} products, ${result.aliases} aliases; settings version ${result.settingsVersion}.`,
      ),
    )
  }
  return 0
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    // V8 quotes what it found; a configuration holds secrets, so only the place is told.
    const place = /position \d+( \(line \d+ column \d+\))?/.exec((error as Error).message)?.[0] ?? 'its end'
    throw new OmnisagaError('Invalid', `${file} is not JSON: it cannot be read at ${place}`, {
      code: 'json',
      remedy: 'Correct it and apply it again.',
    })
  }
}

const stateOf = (each: { paused: boolean; stoppedReason: string | null }) =>
  each.stoppedReason !== null ? `stopped: ${each.stoppedReason}` : each.paused ? 'paused' : 'active'

export async function list({ json }: { json?: boolean }): Promise<ExitCode> {
  const found = await withRuntime(({ pool }) => listConnections(pool))
  if (json) printJson({ connections: found })
  else if (found.length === 0) print('No connections. omnisaga connections apply FILE adds them.')
  else {
    print(
      table(found, [
        { title: 'CONNECTION', of: (each) => each.name },
        { title: 'CONNECTOR', of: (each) => each.connector },
        { title: 'VERSION', of: (each) => each.version, right: true },
        { title: 'APPLIED', of: (each) => localTime(each.updatedAt) },
        {
          title: 'STATE',
          of: stateOf,
          most: 100,
          paint: (text, each) => (each.stoppedReason !== null ? red(text) : each.paused ? yellow(text) : green(text)),
        },
      ]),
    )
  }
  return 0
}

interface Checked extends CheckResult {
  connection: string
  connector: string
}

export async function check(name: string | undefined, { json }: { json?: boolean }): Promise<ExitCode> {
  const results = await withRuntime(async ({ pool, secretKey }) => {
    const all = await listConnections(pool)
    const wanted = name === undefined ? all : all.filter((each) => each.name === name)
    if (name !== undefined && wanted.length === 0) {
      throw new OmnisagaError('Invalid', `there is no connection ${name}`, {
        code: 'no-connection',
        remedy: 'omnisaga connections list shows them.',
      })
    }
    return await Promise.all(
      wanted.map(async (each): Promise<Checked> => {
        const { ok, problems } = await checkOne(() =>
          openConnection(pool, secretKey, each.name, { connectors, evenIfStopped: true }),
        )
        return { connection: each.name, connector: each.connector, ok, problems }
      }),
    )
  })
  if (json) printJson({ ok: results.every((each) => each.ok), connections: results })
  else for (const each of results) print(describe(each))
  return results.every((each) => each.ok) ? 0 : 1
}

/** A check that cannot be done is a problem of that connection, not of the command. */
async function checkOne(open: () => ReturnType<typeof openConnection>): Promise<CheckResult> {
  try {
    const { connector, context } = await open()
    return await connector.check(context)
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    return {
      ok: false,
      problems: [{ message: error.message, remedy: error.remedy ?? 'Correct its configuration and apply it again.' }],
    }
  }
}

const describe = ({ connection, connector, ok, problems }: Checked): string =>
  [
    `${ok ? green('works') : red('fails')}  ${connection} ${dim(connector)}`,
    ...problems.map((problem) => `       ${safe(problem.message)}\n       ${safe(problem.remedy)}`),
  ].join('\n')
