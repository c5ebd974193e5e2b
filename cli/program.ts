/**
 * The omnisaga command. Only names and options are here; what a command does is loaded when it is asked for.
 * Exit codes: 0 good, 1 refused or found wrong, 2 misuse.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Phase } from '../domain/order.ts'
import { Misuse, type ExitCode } from './exit.ts'
import { packingCommands } from './packingCommands.ts'
import { allotmentCommands, campaignCommands, listingCommands } from './stockCommands.ts'
import { returnCommands } from './returnCommands.ts'
import { storeCommands } from './storeCommands.ts'

/** Written out, so that asking for help loads no schemas; a test compares it with the domain. */
export const PHASES: readonly Phase[] = [
  'received',
  'blocked',
  'waitingStock',
  'reserved',
  'tryOn',
  'confirming',
  'confirmed',
  'picking',
  'packed',
  'shipped',
  'delivered',
  'returning',
  'returned',
  'cancelling',
  'cancelled',
]

const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`It must be a whole number from ${least}.`)
    return value
  }
const collect = (value: string, before: string[]): string[] => [...before, value]
const json = () => new Option('--json', 'print JSON')

/** Runs a command's own file; its answer becomes the exit code. */
type Runner = (run: () => Promise<ExitCode>) => Promise<void>

function system(program: Command, run: Runner): void {
  program
    .command('up')
    .description('everything on one machine; stays up until Ctrl-C')
    .option('--demo', 'with simulators and a day of orders')
    .option('--again', 'with --demo: run the day once more')
    .action((options: { demo?: boolean; again?: boolean }) => run(async () => (await import('./commands/up.ts')).up(options)))
  program
    .command('worker')
    .description('runs the sagas; any number may run')
    .option('--metrics-port <port>', 'tells its calls to other systems at http://127.0.0.1:PORT/metrics', whole(0))
    .action((options: { metricsPort?: number }) => run(async () => (await import('./commands/worker.ts')).worker(options)))
  program
    .command('server')
    .description('the HTTP server')
    .option('--port <port>', 'default: OMNISAGA_PORT, else 8080', whole(0))
    .action((options: { port?: number }) => run(async () => (await import('./commands/server.ts')).server(options)))
  program
    .command('migrate')
    .description('brings the database to this version')
    .addOption(json())
    .action((options: { json?: boolean }) => run(async () => (await import('./commands/migrate.ts')).migrateDatabase(options)))
  const keys = program.command('keys').description('API keys')
  keys
    .command('add')
    .description('makes an API key and shows it once')
    .argument('<name>')
    .addOption(json())
    .action((name: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/keys.ts')).addNamedKey(name, options)),
    )
}

function connectionCommands(program: Command, run: Runner): void {
  const connections = program.command('connections').description('what Omnisaga is connected to')
  connections
    .command('apply')
    .description('applies a configuration file: all of it or nothing')
    .argument('<file>')
    .addOption(json())
    .action((file: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/connections.ts')).apply(file, options)),
    )
  connections
    .command('list')
    .description('every connection and its state')
    .addOption(json())
    .action((options: { json?: boolean }) => run(async () => (await import('./commands/connections.ts')).list(options)))
  connections
    .command('check')
    .description('asks the other system whether it works')
    .argument('[name]')
    .addOption(json())
    .action((name: string | undefined, options: { json?: boolean }) =>
      run(async () => (await import('./commands/connections.ts')).check(name, options)),
    )
  program
    .command('pull')
    .description('asks a marketplace for orders now')
    .argument('<connection>')
    .addOption(json())
    .action((name: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/pull.ts')).pull(name, options)),
    )
}

function connectorCommands(program: Command, run: Runner): void {
  program
    .command('connectors')
    .description('what Omnisaga can be connected to')
    .addOption(json())
    .action((options: { json?: boolean }) => run(async () => (await import('./commands/connectors.ts')).list(options)))
  const connector = program.command('connector').description('one connector')
  connector
    .command('show')
    .description('what it can do and how it is configured')
    .argument('<name>')
    .addOption(json())
    .action((name: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/connectors.ts')).show(name, options)),
    )
  connector
    .command('new')
    .description('writes the beginnings of a connector into this clone')
    .argument('<name>')
    .action((name: string) => run(async () => (await import('./commands/connectorNew.ts')).newConnector(name)))
}

function parcels(program: Command, run: Runner): void {
  program
    .command('label')
    .description("the courier's labels of orders or parcels; printing again books nothing")
    .argument('<order|parcel...>', 'ids, channel order numbers, waybills')
    .requiredOption('--out <file>', 'where to; a second document becomes FILE-2')
    .addOption(json())
    .action((named: string[], options: import('./commands/label.ts').LabelOptions) =>
      run(async () => (await import('./commands/label.ts')).label(named, options)),
    )
  const remittances = program.command('remittances').description('cash on delivery that couriers paid out')
  remittances
    .command('pull')
    .description('asks a courier now and matches what it paid out; exit 1 when something differs')
    .argument('<connection>')
    .option('--from <day>', 'first day, e.g. 2026-11-01; default: 30 days ago')
    .option('--to <day>', 'last day; default: today')
    .addOption(json())
    .action((name: string, options: import('./commands/remittances.ts').RemittanceOptions) =>
      run(async () => (await import('./commands/remittances.ts')).pullPaidOut(name, options)),
    )
}

function intake(program: Command, run: Runner): void {
  program
    .command('import')
    .description('takes in a file of orders')
    .argument('<file>')
    .option('--connection <name>', 'whose orders they are')
    .option('--as <profile>', "with --connection: the file's layout; else the connection's, else guessed from its headers")
    .option('--profile <name>', 'reads and maps only (with --dry-run); needs no running system')
    .option('--password <password>', 'of an encrypted workbook; asked for when needed')
    .option('--dry-run', 'shows what would happen, changes nothing; without --connection it needs no running system')
    .option('--annotate <out.xlsx>', 'writes a copy with the errors marked')
    .addOption(json())
    .action((file: string, options: import('./commands/import.ts').ImportOptions) =>
      run(async () => {
        if (options.connection === undefined && options.profile === undefined && !options.dryRun)
          throw new Misuse('Name the connection: --connection NAME (or only look: --dry-run).')
        if (options.profile !== undefined && options.connection !== undefined)
          throw new Misuse('Use --connection or --profile, not both (--as names the layout for a connection).')
        if (options.profile !== undefined && !options.dryRun)
          throw new Misuse('--profile only reads: add --dry-run, or use --connection NAME to take the orders in.')
        if (options.as !== undefined && options.connection === undefined)
          throw new Misuse('--as belongs to --connection NAME; to look only, use --profile NAME --dry-run.')
        return (await import('./commands/import.ts')).importFile(file, options)
      }),
    )
}

function teaching(program: Command, run: Runner): void {
  const profile = program.command('profile').description('layouts of order files')
  profile
    .command('new')
    .description('proposes a profile for a file of a layout that is new')
    .argument('<file>')
    .option('--name <name>', 'of the profile')
    .option('--save <out.yaml>', 'writes it there; else it is printed')
    .option('--password <password>', 'of an encrypted workbook')
    .addOption(json())
    .action((file: string, options: import('./commands/profile.ts').NewOptions) =>
      run(async () => (await import('./commands/profile.ts')).proposeProfile(file, options)),
    )
  profile
    .command('apply')
    .description('teaches a profile: the next file with its headers is known')
    .argument('<file>', 'its YAML')
    .addOption(json())
    .action((file: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/profile.ts')).applyFile(file, options)),
    )
  profile
    .command('list')
    .description('every profile, built in or taught')
    .addOption(json())
    .action((options: { json?: boolean }) => run(async () => (await import('./commands/profile.ts')).list(options)))
  profile
    .command('show')
    .description('the YAML of a taught profile, the columns of one that is built in')
    .argument('<name>')
    .addOption(json())
    .action((name: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/profile.ts')).show(name, options)),
    )
  const alias = program.command('alias').description("what a channel's articles are called here")
  alias
    .command('set')
    .description('remembers it, and lets the orders go on that waited for it')
    .argument('<channel>')
    .argument('<external>', "the channel's article number")
    .argument('<sku>')
    .addOption(json())
    .action((channel: string, externalSku: string, sku: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/alias.ts')).set({ channel, externalSku, sku }, options)),
    )
  alias
    .command('list')
    .description('every alias')
    .option('--channel <channel>')
    .addOption(json())
    .action((options: { channel?: string; json?: boolean }) =>
      run(async () => (await import('./commands/alias.ts')).list(options)),
    )
}

function operations(program: Command, run: Runner): void {
  program
    .command('orders')
    .description('orders, newest first')
    .addOption(new Option('--phase <phase>').choices([...PHASES]))
    .option('--channel <channel>')
    .option('--limit <n>', 'at most', whole(1), 50)
    .addOption(json())
    .action((options: import('./commands/orders.ts').OrdersOptions) =>
      run(async () => (await import('./commands/orders.ts')).orders(options)),
    )
  program
    .command('order')
    .description("one order, by its id or the channel's own number")
    .argument('<id>')
    .addOption(json())
    .action((id: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/order.ts')).order(id, options)),
    )
  const stock = program
    .command('stock')
    .description('what there is, what is held, what can be sold')
    .option('--sku <sku>')
    .option('--location <location>')
    .addOption(json())
    .action((options: import('./commands/stock.ts').StockOptions) =>
      run(async () => (await import('./commands/stock.ts')).stock(options)),
    )
  stock
    .command('set')
    .description('sets a counted quantity')
    .argument('<sku>')
    .argument('<location>')
    .argument('<qty>', 'pieces on hand', whole(0))
    .requiredOption('--reason <reason>', 'why')
    .addOption(json())
    // `--json` stands on both; commander gives it to the outer one.
    .action((sku: string, location: string, onHand: number, _own: unknown, command: Command) =>
      run(async () =>
        (await import('./commands/stock.ts')).setStock(
          { sku, location, onHand },
          command.optsWithGlobals<{ reason: string; json?: boolean }>(),
        ),
      ),
    )
  allotmentCommands(stock, run, { whole, collect })
  listingCommands(program, run, { whole, collect })
  campaignCommands(program, run, { whole, collect })
  storeCommands(program, run)
  returnCommands(program, run, { whole, collect })
  program
    .command('tasks')
    .description('what waits for a person')
    .option('--kind <kind>')
    .option('--connection <name>', 'of one connection')
    .option('--order <id>', 'of one order')
    .option('--older-than <hours>', 'waiting for so long at least', whole(0))
    .option('--done', 'those that are closed')
    .option('--limit <n>', 'at most', whole(1), 500)
    .addOption(json())
    .action((options: import('./commands/tasks.ts').TasksOptions) =>
      run(async () => (await import('./commands/tasks.ts')).tasks(options)),
    )
  program
    .command('task')
    .description('shows a task, or does one of its actions')
    .argument('<id>', 'number of the task', whole(1))
    .argument('[action]')
    .option('--set <field=value>', 'what the action must know; may be repeated', collect, [])
    .option('--preview', 'say what the action would change, and do nothing')
    .addOption(json())
    .action((id: number, action: string | undefined, options: import('./commands/tasks.ts').TaskOptions) =>
      run(async () => {
        if (action === undefined && options.set.length > 0)
          throw new Misuse('--set belongs to an action: omnisaga task ID ACTION --set field=value')
        return (await import('./commands/tasks.ts')).task(id, action, options)
      }),
    )
  program
    .command('audit')
    .description('proves every invariant; exit 1 and the violations if any fails')
    .option('--no-engine', 'without asking Temporal')
    .addOption(json())
    .action((options: { engine: boolean; json?: boolean }) =>
      run(async () => (await import('./commands/audit.ts')).auditAll(options)),
    )
}

function routingCommands(program: Command, run: Runner): void {
  program
    .command('route')
    .description('from where orders leave')
    .command('simulate')
    .description('shows what new rules would do to past orders, and changes nothing')
    .requiredOption('--orders <file>', 'JSON: orders as `omnisaga orders --json` prints them')
    .requiredOption('--rules <file>', 'JSON or YAML: the `routing` part of the policy')
    .addOption(json())
    .action((options: import('./commands/route.ts').SimulateOptions) =>
      run(async () => (await import('./commands/route.ts')).simulate(options)),
    )
}

export function buildProgram(run: Runner): Command {
  const program = new Command('omnisaga')
  program
    .description('Every order one durable saga, from any channel through any warehouse and courier.')
    .version('0.1.0')
    .showHelpAfterError('(omnisaga --help shows the commands)')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 good, 1 refused or found wrong, 2 misuse. Nothing set in the environment means the embedded system in .omnisaga.',
    )
  for (const group of [
    system,
    connectionCommands,
    connectorCommands,
    parcels,
    packingCommands,
    intake,
    teaching,
    routingCommands,
    operations,
  ])
    group(program, run)
  for (const command of everyCommand(program)) command.exitOverride().showHelpAfterError('(omnisaga --help shows the commands)')
  return program
}

const everyCommand = (command: Command): Command[] => command.commands.flatMap((inner) => [inner, ...everyCommand(inner)])

/** @param argv without node and script. @returns the exit code; never throws. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = 0
  const program = buildProgram(async (run) => {
    code = await run()
  })
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' })
    return code
  } catch (error) {
    // commander has printed its own text by now; asking for help or the version is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof Misuse) {
      process.stderr.write(`error: ${error.message}\n`)
      return 2
    }
    const { explain } = await import('./output/failure.ts')
    process.stderr.write(`${explain(error)}\n`)
    return 1
  }
}
