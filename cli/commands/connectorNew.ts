/** connector new */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { register, scaffold } from '../connectorTemplate.ts'
import { Misuse, type ExitCode } from '../exit.ts'
import { dim, print } from '../output/text.ts'

/** @param root a clone of this project. Nothing is written when anything of that name is there. */
export async function newConnector(name: string, root: string = process.cwd()): Promise<ExitCode> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Misuse('The name must be lower-case words with hyphens, such as acme-wms.')
  const registry = join(root, 'connectors/registry.ts')
  if (!existsSync(registry)) throw new Misuse('Run it in a clone of Omnisaga: connectors/registry.ts is not here.')
  const { files, ...lines } = scaffold(name)
  const paths = Object.keys(files)
  const taken = paths.filter((path) => existsSync(join(root, path)))
  if (taken.length > 0) throw new Misuse(`It is there already: ${taken.join(', ')}`)
  const registered = register(await readFile(registry, 'utf8'), lines)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text, { flag: 'wx' })
  }
  await writeFile(registry, registered)
  for (const path of [...paths, 'connectors/registry.ts']) print(path)
  print(dim(`Next: docs/add-a-connector.md. It passes already: npm test -- --project db acceptance -t "connector ${name}"`))
  return 0
}
