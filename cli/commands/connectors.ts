/** connectors, connector show */
import { titleOf } from '../../connectors/kit/capabilities.ts'
import { configFields, describeConnector } from '../../connectors/kit/describe.ts'
import { connectors } from '../../connectors/registry.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ExitCode } from '../exit.ts'
import { bold, dim, print, printJson, table } from '../output/text.ts'

export async function list({ json }: { json?: boolean }): Promise<ExitCode> {
  const described = Object.values(connectors)
    .map(describeConnector)
    .toSorted((a, b) => a.name.localeCompare(b.name, 'en'))
  if (json) {
    printJson({ connectors: described.map(({ name, title, kind, capabilities }) => ({ name, title, kind, capabilities })) })
    return 0
  }
  print(
    table(described, [
      { title: 'CONNECTOR', of: (each) => each.name },
      { title: 'SYSTEM', of: (each) => each.title },
      { title: 'KIND', of: (each) => each.kind },
      { title: 'CAN', of: (each) => each.capabilities.map(titleOf).join(', '), most: 200 },
    ]),
  )
  return 0
}

export async function show(name: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const connector = Object.hasOwn(connectors, name) ? connectors[name] : undefined
  if (!connector)
    throw new OmnisagaError('Invalid', `there is no connector ${name}`, {
      code: 'no-connector',
      remedy: `Use one of ${Object.keys(connectors).sort().join(', ')}.`,
    })
  if (json) {
    printJson(describeConnector(connector))
    return 0
  }
  const { title, kind, capabilities } = describeConnector(connector)
  print(`${bold(name)}  ${title}  ${dim(kind)}`)
  print(`Can: ${capabilities.map(titleOf).join(', ')}.`)
  print('')
  print(
    table(configFields(connector), [
      { title: 'CONFIG', of: (field) => field.name },
      { title: 'TYPE', of: (field) => field.type },
      { title: 'DEFAULT', of: (field) => (field.required ? 'required' : (field.default ?? '')) },
      { title: 'SECRET', of: (field) => (field.secret ? 'secret' : '') },
      { title: 'WHAT IT IS', of: (field) => field.description, most: 200 },
    ]),
  )
  return 0
}
