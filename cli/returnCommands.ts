/** Names and options of the commands about goods that come back. */
import { Argument, Option, type Command } from 'commander'
import type { ExitCode } from './exit.ts'

type Runner = (run: () => Promise<ExitCode>) => Promise<void>
const json = () => new Option('--json', 'print JSON')
// `--json` stands on both levels; commander gives it to the outer one.
const all = <T>(command: Command): T => command.optsWithGlobals<T & object>()
const STATES = ['asked', 'approved', 'refused', 'cancelled', 'expired', 'received', 'done']
const LINE = ['--line <line=pieces>', 'a line of the order, or its SKU; may be repeated'] as const

export function returnCommands(
  program: Command,
  run: Runner,
  {
    whole,
    collect,
  }: { whole: (least: number) => (text: string) => number; collect: (value: string, before: string[]) => string[] },
): void {
  const load = () => import('./commands/returns.ts')
  const returns = program
    .command('returns')
    .description('goods that come back: who asked for what, and where it stands')
    .option('--order <id>', 'of one order')
    .addOption(new Option('--state <state>').choices(STATES))
    .option('--limit <n>', 'at most', whole(1), 500)
    .addOption(json())
    .action((options: import('./commands/returns.ts').ReturnsOptions) => run(async () => (await load()).list(options)))
  returns
    .command('show')
    .description('one return: its pieces, parcels, what became of it, what can be done now')
    .argument('<id>')
    .addOption(json())
    .action((id: string, _own: unknown, command: Command) => run(async () => (await load()).show(id, all(command))))
  returns
    .command('ask')
    .description('the customer wants to give goods back; the rules approve it, or a person')
    .argument('<order>')
    .option(...LINE, collect, [])
    .option('--everything', 'all that the customer has')
    .requiredOption('--reason <reason>', 'as the customer says it')
    .addOption(new Option('--way <way>', 'how it comes').choices(['store', 'courier', 'cvs']).default('store'))
    .option('--to <location>', 'where it shall come; default: where it left from')
    .option(
      '--instead <sku=pieces@minor>',
      'other goods wanted for it, with the price of one in minor units; may be repeated',
      collect,
      [],
    )
    .option('--key <key>', 'of this request: asked twice, it is one return')
    .addOption(json())
    .action((order: string, _own: unknown, command: Command) => run(async () => (await load()).ask(order, all(command))))
  for (const [word, description] of [
    ['approve', 'take the goods back although the rules do not say so'],
    ['refuse', 'do not take them back; the customer is told'],
    ['cancel', 'the customer keeps the goods after all'],
  ] as const)
    returns
      .command(word)
      .description(description)
      .argument('<id>')
      .addOption(json())
      .action((id: string, _own: unknown, command: Command) => run(async () => (await load()).decide(id, word, all(command))))
  returns
    .command('receive')
    .description('the goods are here, all that is still to come or the lines that are named')
    .argument('<id>')
    .option('--at <location>', 'default: where they are expected')
    .option(...LINE, collect, [])
    .addOption(json())
    .action((id: string, _own: unknown, command: Command) => run(async () => (await load()).receive(id, all(command))))
  returns
    .command('inspect')
    .description('what becomes of pieces that are here; once nothing waits any more, the money is asked for')
    .argument('<id>')
    .addArgument(new Argument('<disposition>').choices(['restock', 'outlet', 'refurbish', 'scrap']))
    .option(...LINE, collect, [])
    .option('--to <location>', 'where they are booked; default: where they were received, or as the policy says')
    .option('--note <note>')
    .option('--refund <minor>', 'pay back this much, in minor units, instead of what they are worth', whole(0))
    .addOption(json())
    .action((id: string, disposition: import('../domain/returns.ts').Disposition, _own: unknown, command: Command) =>
      run(async () => (await load()).inspect(id, disposition, all(command))),
    )
}
