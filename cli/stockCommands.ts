/** Names and options of the commands about stock across channels. */
import { Option, type Command } from 'commander'
import type { ExitCode } from './exit.ts'

type Runner = (run: () => Promise<ExitCode>) => Promise<void>
interface Parsers {
  whole(least: number): (text: string) => number
  collect(value: string, before: string[]): string[]
}
const json = () => new Option('--json', 'print JSON')
// `--json`, `--sku` and `--location` stand on both levels; commander gives them to the outer one.
const all = <T>(command: Command): T => command.optsWithGlobals<T & object>()

/** Below `stock`. */
export function allotmentCommands(stock: Command, run: Runner, { whole }: Parsers): void {
  stock
    .command('drift')
    .description('where other systems count differently; exit 1 when one does')
    .option('--connection <name>')
    .option('--read <connection>', 'reads this one first')
    .addOption(json())
    .action((_own: unknown, command: Command) =>
      run(async () => (await import('./commands/drift.ts')).drift(all<import('./commands/drift.ts').DriftOptions>(command))),
    )
  stock
    .command('allot')
    .description('keeps pieces for a channel or a campaign; again changes it')
    .argument('<sku>')
    .argument('<location>')
    .argument('<qty>', 'pieces in all, sold ones included', whole(0))
    .option('--channel <channel>')
    .option('--campaign <campaign>')
    .option('--priority <n>', 'lower is covered first', Number, 0)
    .option('--closes <time>', "ISO 8601; what is left then is everybody's")
    .addOption(json())
    .action((sku: string, location: string, quantity: number, _own: unknown, command: Command) =>
      run(async () =>
        (await import('./commands/allotments.ts')).allot(
          { sku, location, quantity },
          all<import('./commands/allotments.ts').AllotOptions>(command),
        ),
      ),
    )
  stock
    .command('allotments')
    .description('what is kept for whom, and how much of it is used')
    .option('--channel <channel>')
    .option('--campaign <campaign>')
    .option('--closed', 'closed ones too')
    .addOption(json())
    .action((_own: unknown, command: Command) =>
      run(async () =>
        (await import('./commands/allotments.ts')).allotments(all<import('./commands/allotments.ts').AllotmentsOptions>(command)),
      ),
    )
  stock
    .command('unallot')
    .description("ends an allotment: what is left is everybody's")
    .argument('<id>', 'number of the allotment', whole(1))
    .addOption(json())
    .action((id: number, _own: unknown, command: Command) =>
      run(async () => (await import('./commands/allotments.ts')).unallot(id, all<{ json?: boolean }>(command))),
    )
}

export function listingCommands(program: Command, run: Runner, { whole, collect }: Parsers): void {
  const listings = program
    .command('listings')
    .description('what the items of channels mean, and what they are told')
    .option('--connection <name>')
    .addOption(new Option('--state <state>').choices(['mapped', 'unmapped', 'ignored']))
    .option('--sku <sku>', 'those that our SKU is in', collect, [])
    .option('--limit <n>', 'at most', whole(1), 500)
    .addOption(json())
    .action(({ sku, ...options }: import('./commands/listings.ts').ListingsOptions & { sku: string[] }) =>
      run(async () => (await import('./commands/listings.ts')).listings({ ...options, ...(sku[0] && { sku: sku[0] }) })),
    )
  listings
    .command('map')
    .description('says what a listing means; several SKUs are a bundle')
    .argument('<connection>')
    .argument('<listing>')
    .option('--variant <id>')
    .option('--sku <sku=quantity>', 'our SKU, with its quantity when not 1; may be repeated', collect, [])
    .option('--external-sku <sku>', "the channel's own SKU")
    .addOption(json())
    .action((connection: string, listingId: string, _own: unknown, command: Command) =>
      run(async () =>
        (await import('./commands/listings.ts')).map(
          { connection, listingId },
          all<{ variant?: string; sku: string[]; externalSku?: string; json?: boolean }>(command),
        ),
      ),
    )
  listings
    .command('ignore')
    .description('says that a listing is not ours to keep')
    .argument('<connection>')
    .argument('<listing>')
    .option('--variant <id>')
    .addOption(json())
    .action((connection: string, listingId: string, _own: unknown, command: Command) =>
      run(async () =>
        (await import('./commands/listings.ts')).ignore(
          { connection, listingId },
          all<{ variant?: string; json?: boolean }>(command),
        ),
      ),
    )
  listings
    .command('find')
    .description('looks through what a channel offers, now')
    .argument('<connection>')
    .addOption(json())
    .action((connection: string, _own: unknown, command: Command) =>
      run(async () => (await import('./commands/listings.ts')).find(connection, all<{ json?: boolean }>(command))),
    )
  listings
    .command('push')
    .description('tells a channel every level again')
    .argument('<connection>')
    .addOption(json())
    .action((connection: string, _own: unknown, command: Command) =>
      run(async () => (await import('./commands/listings.ts')).push(connection, all<{ json?: boolean }>(command))),
    )
}

/** Group-buys. */
export function campaignCommands(program: Command, run: Runner, { whole, collect }: Parsers): void {
  program
    .command('campaigns')
    .description('group-buys: what holds, what is needed, when they close')
    .option('--state <state>', 'open, reached or failed')
    .addOption(json())
    .action((options: import('./commands/campaigns.ts').CampaignsOptions) =>
      run(async () => (await import('./commands/campaigns.ts')).campaigns(options)),
    )
  const campaign = program.command('campaign').description('one group-buy')
  campaign
    .command('set')
    .description('sets one up, or changes it while it is open')
    .argument('<id>', 'what its orders name as their campaign')
    .requiredOption('--minimum <n>', 'under this at the closing nobody gets it', whole(0))
    .requiredOption('--closes <time>', 'ISO 8601 with offset')
    .option('--count <what>', 'pieces or orders', 'pieces')
    .option('--title <title>')
    .option('--allot <sku@location=qty>', 'pieces kept for it; may be repeated', collect, [])
    .addOption(json())
    .action((id: string, options: import('./commands/campaigns.ts').SetOptions) =>
      run(async () => (await import('./commands/campaigns.ts')).set(id, options)),
    )
  campaign
    .command('close')
    .description('closes it now: its orders go on, or are released and told')
    .argument('<id>')
    .addOption(json())
    .action((id: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/campaigns.ts')).close(id, options)),
    )
}
