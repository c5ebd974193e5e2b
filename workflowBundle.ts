/** The workflow bundle, built once and kept by the hash of what went into it: workers and tests start at once. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'

const root = fileURLToPath(new URL('.', import.meta.url))

async function sources(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/**
 * OMNISAGA_WORKFLOW_STACKS=1 in the environment: with stack traces (see workflows/leanErrors.ts).
 * @returns the path of the bundle, for `workflowBundle: {codePath}`.
 */
export async function workflowBundlePath(): Promise<string> {
  const stacks = process.env.OMNISAGA_WORKFLOW_STACKS === '1'
  const hash = createHash('sha256').update(stacks ? 'with stacks' : '')
  for (const file of [...(await sources('workflows')), ...(await sources('domain')), join(root, 'package-lock.json')])
    hash.update(await readFile(file))
  const folder = join(root, '.cache')
  const path = join(folder, `workflows-${hash.digest('hex').slice(0, 16)}.js`)
  if (existsSync(path)) return path
  const quiet = () => undefined
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows/index.ts'),
    preloadModules: stacks ? [] : [join(root, 'workflows/leanErrors.ts')],
    logger: {
      log: quiet,
      trace: quiet,
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: (message: string) => process.stderr.write(`${message}\n`),
    },
  })
  await mkdir(folder, { recursive: true })
  const unfinished = `${path}.${process.pid}`
  await writeFile(unfinished, code)
  await rename(unfinished, path)
  return path
}
