/**
 * `npm run bench [-- --json] [-- --quick] [-- NAME...]`: measures, prints a table or JSON. Names: paths, saga, webhooks, excel,
 * reservations. Exit code 1 when a count is above its limit; times are looked at and not enforced.
 */
import { cpus, loadavg } from 'node:os'
import { excelMeasures } from './excel.ts'
import { ledgerMeasures } from './ledger.ts'
import type { Measure } from './measure.ts'
import { pathMeasures } from './paths.ts'
import { Place } from './place.ts'
import { sagaMeasures } from './saga.ts'
import { table } from './table.ts'
import { webhookMeasures } from './webhooks.ts'

const benches: Record<string, (place: Place, quick: boolean, say: (line: string) => void) => Promise<Measure[]>> = {
  paths: (place, _quick, say) => pathMeasures(place, say),
  saga: sagaMeasures,
  webhooks: webhookMeasures,
  excel: (_place, quick) => excelMeasures(quick ? 1 : 3),
  reservations: async (place, quick) => ledgerMeasures({ databaseUrl: await place.postgresUrl(), rounds: quick ? 1 : 5 }),
}

async function main(args: string[]): Promise<void> {
  const json = args.includes('--json')
  const quick = args.includes('--quick')
  const names = args.filter((arg) => !arg.startsWith('--'))
  const unknown = [
    ...names.filter((name) => !(name in benches)),
    ...args.filter((arg) => arg.startsWith('--') && arg !== '--json' && arg !== '--quick'),
  ]
  if (unknown.length > 0) {
    process.stderr.write(
      `bench: ${unknown.join(', ')} is not known. Names: ${Object.keys(benches).join(', ')}; options: --json, --quick\n`,
    )
    process.exitCode = 2
    return
  }
  const say = (line: string) => process.stderr.write(`bench: ${line}\n`)
  const place = await Place.open(say)
  // Ctrl-C must leave no server behind.
  const interrupted = () => {
    void place.close().finally(() => process.exit(130))
  }
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    const measures: Measure[] = []
    for (const name of names.length > 0 ? names : Object.keys(benches)) {
      say(`${name} (load ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores)`)
      measures.push(...((await benches[name]?.(place, quick, say)) ?? []))
    }
    process.stdout.write(json ? `${JSON.stringify({ measures }, null, 2)}\n` : table(measures))
    if (measures.some(({ enforced, met }) => enforced && met === false)) process.exitCode = 1
  } finally {
    await place.close()
  }
}

await main(process.argv.slice(2))
