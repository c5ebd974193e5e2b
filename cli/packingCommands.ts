/** Names and options of the commands for picking, packing and handing over. */
import { Option, type Command } from 'commander'
import type { ExitCode } from './exit.ts'
import { moment } from './storeCommands.ts'

const json = () => new Option('--json', 'print JSON')

export function packingCommands(program: Command, run: (run: () => Promise<ExitCode>) => Promise<void>): void {
  const waves = program.command('waves').description('what is picked together')
  waves
    .command('list')
    .description('waves, newest first')
    .option('--location <location>')
    .addOption(json())
    .action((options: { location?: string; json?: boolean }) =>
      run(async () => (await import('./commands/waves.ts')).list(options)),
    )
  waves
    .command('make')
    .description('of what is ready at a location, now')
    .argument('<location>')
    .addOption(json())
    .action((location: string, options: { json?: boolean }) =>
      run(async () => (await import('./commands/waves.ts')).make(location, options)),
    )
  waves
    .command('pick-list')
    .description('the pick list by shelf path, and the box codes')
    .argument('<wave>')
    .requiredOption('--out <file>', 'PDF')
    .action((wave: string, options: { out: string }) =>
      run(async () => (await import('./commands/waves.ts')).printPickList(wave, options)),
    )
  program
    .command('pack')
    .description('a packing station: reads codes line by line and says what comes next')
    .argument('<station>')
    .option('--location <location>', 'opens boxes of this location only')
    .action((station: string, options: { location?: string }) =>
      run(async () => (await import('./commands/pack.ts')).pack(station, options)),
    )
  const manifest = program.command('manifest').description('what a courier is given')
  manifest
    .command('create')
    .description('closes a manifest of every packed and booked parcel that is on none yet')
    .argument('<location>')
    .argument('<courier>')
    .requiredOption('--out <file>', 'the paper a driver signs')
    .addOption(json())
    .action((location: string, courier: string, options: { out: string; json?: boolean }) =>
      run(async () => (await import('./commands/manifest.ts')).create(location, courier, options)),
    )
  manifest
    .command('pickup')
    .description('asks the courier to come; asked again, the same pickup is shown')
    .argument('<id>')
    .addOption(new Option('--from <time>', 'ISO 8601 with offset').argParser(moment).makeOptionMandatory())
    .addOption(new Option('--until <time>').argParser(moment).makeOptionMandatory())
    .option('--instructions <text>', 'for the driver')
    .addOption(json())
    .action((id: string, options: import('./commands/manifest.ts').PickupOptions) =>
      run(async () => (await import('./commands/manifest.ts')).pickup(id, options)),
    )
  manifest
    .command('handed-over')
    .description('the courier has taken the parcels: they have left')
    .argument('<id>')
    .addOption(new Option('--photo <reference>', 'what proves it').conflicts(['receipt', 'signature']))
    .addOption(new Option('--receipt <reference>').conflicts(['signature']))
    .option('--signature <reference>')
    .addOption(json())
    .action((id: string, options: import('./commands/manifest.ts').HandedOverOptions) =>
      run(async () => (await import('./commands/manifest.ts')).tellHandedOver(id, options)),
    )
}
