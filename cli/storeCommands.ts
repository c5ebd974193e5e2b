/** Names and options of the commands about stores. */
import { Option, type Command } from 'commander'
import type { ExitCode } from './exit.ts'

type Runner = (run: () => Promise<ExitCode>) => Promise<void>
const json = () => new Option('--json', 'print JSON')
// `--json` stands on both levels; commander gives it to the outer one.
const all = <T>(command: Command): T => command.optsWithGlobals<T & object>()

export function storeCommands(program: Command, run: Runner): void {
  const appointments = program
    .command('appointments')
    .description('who comes to a store, and when')
    .option('--location <location>')
    .addOption(new Option('--state <state>').choices(['booked', 'late', 'arrived', 'noShow', 'cancelled']))
    .addOption(json())
    .action((options: import('./commands/appointments.ts').AppointmentsOptions) =>
      run(async () => (await import('./commands/appointments.ts')).appointments(options)),
    )
  for (const [word, description] of [
    ['arrived', 'the customer is there'],
    ['cancel', 'the customer does not come'],
  ] as const)
    appointments
      .command(word)
      .description(description)
      .argument('<id>')
      .addOption(json())
      .action((id: string, _own: unknown, command: Command) =>
        run(async () => (await import('./commands/appointments.ts')).change(id, word, all<{ json?: boolean }>(command))),
      )
  appointments
    .command('move')
    .description('to another slot')
    .argument('<id>')
    .argument('<time>', 'ISO 8601, the beginning of a slot')
    .addOption(json())
    .action((id: string, time: string, _own: unknown, command: Command) =>
      run(async () => (await import('./commands/appointments.ts')).change(id, { move: time }, all<{ json?: boolean }>(command))),
    )
  const transfers = program
    .command('transfers')
    .description('goods on their way between two locations; open ones unless a state is named')
    .option('--location <location>')
    .addOption(new Option('--state <state>').choices(['requested', 'shipped', 'arrived', 'cancelled']))
    .addOption(json())
    .action((options: import('./commands/transfers.ts').TransfersOptions) =>
      run(async () => (await import('./commands/transfers.ts')).transfers(options)),
    )
  transfers
    .command('ship')
    .description('the goods have left')
    .argument('<id>')
    .option('--carrier <carrier>')
    .option('--waybill <waybill>')
    .option('--expected <date>', 'local date of arrival')
    .addOption(json())
    .action((id: string, _own: unknown, command: Command) =>
      run(async () =>
        (await import('./commands/transfers.ts')).ship(id, all<import('./commands/transfers.ts').ShipOptions>(command)),
      ),
    )
  transfers
    .command('arrive')
    .description('the goods are there')
    .argument('<id>', 'of the transfer, or its waybill')
    .addOption(json())
    .action((id: string, _own: unknown, command: Command) =>
      run(async () => (await import('./commands/transfers.ts')).arrive(id, all<{ json?: boolean }>(command))),
    )
  program
    .command('receipts')
    .description('what is expected to come')
    .command('import')
    .description('takes a CSV file in: sku,location,quantity,expected_on')
    .argument('<file>')
    .addOption(json())
    .action((file: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/transfers.ts')).importReceipts(file, options)),
    )
}
