/** Names and options of the commands about stores. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ExitCode } from './exit.ts'

type Runner = (run: () => Promise<ExitCode>) => Promise<void>
const json = () => new Option('--json', 'print JSON')
// `--json` stands on both levels; commander gives it to the outer one.
const all = <T>(command: Command): T => command.optsWithGlobals<T & object>()

const day = (text: string): string => {
  const at = new Date(`${text}T00:00:00Z`)
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(at.getTime()) || !at.toISOString().startsWith(text))
    throw new InvalidArgumentError('It must be a day such as 2026-12-31.')
  return text
}
export const moment = (text: string): string => {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError('It must be a time with its offset, such as 2026-12-31T14:30:00+08:00.')
  return text
}
const pieces = (text: string, before: Record<string, number>): Record<string, number> => {
  const [, line, quantity] = /^(.+)=(\d{1,6})$/.exec(text) ?? []
  if (line === undefined) throw new InvalidArgumentError('Write LINE=PIECES, such as 1=2; the lines stand in `transfers --json`.')
  return { ...before, [line]: Number(quantity) }
}
const fewer = () => new Option('--pieces <line=n>', 'where they are fewer; may be repeated').argParser(pieces).default({})

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
    .argument('<time>', 'ISO 8601 with offset, the beginning of a slot', moment)
    .option('--to <location>', 'at another store')
    .addOption(json())
    .action((id: string, startsAt: string, { to }: { to?: string }, command: Command) =>
      run(async () =>
        (await import('./commands/appointments.ts')).change(
          id,
          { startsAt, ...(to === undefined ? {} : { location: to }) },
          all<{ json?: boolean }>(command),
        ),
      ),
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
    .option('--expected <date>', 'local date of arrival', day)
    .addOption(fewer())
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
    .addOption(fewer())
    .addOption(json())
    .action((id: string, _own: unknown, command: Command) =>
      run(async () =>
        (await import('./commands/transfers.ts')).arrive(id, all<import('./commands/transfers.ts').ArriveOptions>(command)),
      ),
    )
  transfers
    .command('cancel')
    .description('calls it off before it is sent')
    .argument('<id>')
    .addOption(json())
    .action((id: string, _own: unknown, command: Command) =>
      run(async () => (await import('./commands/transfers.ts')).cancel(id, all<{ json?: boolean }>(command))),
    )
  program
    .command('receipts')
    .description('what is expected to come')
    .command('import')
    .description('takes a file in (CSV, Excel): sku,location,quantity,expected_on; wrong rows are listed, the others count')
    .argument('<file>')
    .addOption(json())
    .action((file: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/transfers.ts')).importReceipts(file, options)),
    )
  program
    .command('purchases')
    .description('what is to be bought for orders that wait')
    .option('--csv <file>', 'writes the list there, for the supplier')
    .addOption(json())
    .action((options: import('./commands/purchases.ts').PurchasesOptions) =>
      run(async () => (await import('./commands/purchases.ts')).purchases(options)),
    )
}
