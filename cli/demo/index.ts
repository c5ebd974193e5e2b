/** `omnisaga up --demo`: simulators of the outside systems, and a day of orders that is run once. */
import type { LoopTimes } from '../../activities/loops.ts'
import type { DemoContext, StartDemo } from '../demoHook.ts'
import { phasePaint } from '../output/phase.ts'
import { bold, dim, green, table, yellow } from '../output/text.ts'
import type { Phase } from '../../domain/order.ts'
import { runDay } from './day.ts'
import { outside, type TaskRow } from './outside.ts'
import { openShop, type Shop } from './shop.ts'

/** Nobody who looks on wants to wait a minute for a wave. */
export const DEMO_LOOPS: Partial<LoopTimes> = {
  inboxMs: 200,
  outboxMs: 500,
  wavesMs: 1_000,
  feedsMs: 200,
  sweepMs: 1_000,
  missingMs: 5_000,
}
/** Between two reports of the courier about an order that the user places after the day. */
const COURIER_PACE_MS = 2_000

export const startDemo: StartDemo = async (context) => {
  const shop = await openShop({
    runtime: context.runtime,
    dataDir: context.environment.dataDir,
    url: context.url,
    again: context.again,
  })
  const controller = new AbortController()
  const day = run(context, shop, controller.signal).catch((error: Error) => {
    if (controller.signal.aborted) return // stopped in the middle: the next start goes on
    context.say(yellow(`The day of orders stands still: ${error.message}`))
    context.say('  Look with: npx omnisaga tasks | orders. Stop with Ctrl-C and start again: it goes on where it was.')
  })
  return {
    async stop() {
      controller.abort(new Error('stopped'))
      await day
      await shop.stop()
    },
  }
}

async function run({ say, url }: DemoContext, shop: Shop, signal: AbortSignal): Promise<void> {
  // The first request is answered after "is up" stands on the terminal.
  await outside(url, signal).get('/healthz')
  const { state } = shop
  if (state.finishedAt !== null) say(dim('The day of orders was run already (npm start -- --again runs another one).'))
  else {
    say(
      bold(
        state.done.length === 0
          ? `A day of orders${state.run > 1 ? `, number ${state.run}` : ''}`
          : `The day of orders goes on (${state.done.length} steps were done)`,
      ),
    )
    const begun = performance.now()
    await runDay(shop, { say: (line) => say(`  ${line}`), signal })
    say(green(`  the day is over after ${Math.round((performance.now() - begun) / 1000)} s`))
    await summary(shop, say, signal)
  }
  shop.ecpay.auto({ speedMs: COURIER_PACE_MS, twice: true })
  nextSteps(url, say)
}

async function summary({ url }: Shop, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  const api = outside(url, signal)
  const phases = new Map<string, number>()
  for (const { phase } of await api.orders()) phases.set(phase, (phases.get(phase) ?? 0) + 1)
  say('')
  say(
    table(
      [...phases].sort((a, b) => b[1] - a[1]),
      [
        { title: 'PHASE', of: ([phase]) => phase, paint: (text, [phase]) => phasePaint(phase as Phase)(text) },
        { title: 'ORDERS', of: ([, count]) => count, right: true },
      ],
    ),
  )
  const tasks: TaskRow[] = await api.openTasks()
  say('')
  say(`${tasks.length} open tasks:`)
  say(
    table(tasks, [
      { title: 'ID', of: (task) => task.id, right: true },
      { title: 'ABOUT', of: (task) => task.subject },
      { title: 'WHAT', of: (task) => task.title, most: 76 },
      { title: 'ACTIONS', of: (task) => task.actions.join(', ') },
    ]),
  )
}

function nextSteps(url: string, say: (line: string) => void): void {
  const order = JSON.stringify({
    connection: 'store-xinyi',
    externalId: 'TRY-1',
    lines: [{ sku: 'MUG', quantity: 1, unitPriceMinor: 32_000 }],
    recipient: { name: '王試用', phone: '0900123456', address: { raw: '臺北市信義區測試路1號1樓' } },
    delivery: { method: 'home' },
    payment: { method: 'prepaid' },
  })
  say(
    [
      '',
      bold('Try next'),
      '  npx omnisaga tasks                     what a person must decide; npx omnisaga task ID shows one and its actions',
      '  npx omnisaga task ID retry             e.g. the refused booking: the courier takes it now',
      '  npx omnisaga orders --phase delivered  and npx omnisaga order ID',
      '  npx omnisaga audit                     every invariant, proved from the tables',
      '  An order of your own, delivered within half a minute:',
      `    curl -s ${url}/api/v1/orders -H 'content-type: application/json' -d '${order}'`,
      '    npx omnisaga order TRY-1',
      '',
    ].join('\n'),
  )
}
