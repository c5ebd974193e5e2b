/**
 * Workflows must do the same at every replay. Builds the bundle as a worker does (which refuses Node built-ins and what else the
 * sandbox lacks), then looks at every file of ours that came into it, domain/ included, for globals that are not replayed.
 * Date, Math.random and setTimeout are replaced by the sandbox and may be used.
 *
 * node scripts/check-determinism.mjs [workflows/index.ts]
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const entry = resolve(process.argv[2] ?? join(root, 'workflows/index.ts'))

if (!existsSync(entry)) {
  console.error(`no workflows at ${relative(root, entry)}: name the file that exports them all`)
  process.exit(1)
}

const silent = () => undefined
/** Of webpack's long account only the errors and where they were imported. */
const complain = (text) => {
  const errors = String(text).slice(Math.max(0, String(text).indexOf('ERROR in')))
  console.error(errors.replace(/^ {4}at .*\n/gm, '').trim())
}
const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: complain, error: complain }
const modules = new Set()
/** webpack tells which files it took. */
const collect = {
  apply: (compiler) =>
    compiler.hooks.compilation.tap('collect', (compilation) =>
      compilation.hooks.succeedModule.tap('collect', (module) => module.resource && modules.add(module.resource)),
    ),
}

let bundle
try {
  bundle = await bundleWorkflowCode({
    workflowsPath: entry,
    logger,
    webpackConfigHook: (config) => ({ ...config, plugins: [...(config.plugins ?? []), collect] }),
  })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

const base = dirname(dirname(entry))
const own = [...modules].filter((file) => {
  const path = relative(base, file)
  return /\.[cm]?[jt]s$/.test(file) && !path.startsWith('..') && !isAbsolute(path) && !path.includes('node_modules')
})
// The bundler makes an entry of its own beside the workflows, on no disk.
const files = own.filter((file) => existsSync(file))
const oxlint = join(dirname(createRequire(import.meta.url).resolve('oxlint/package.json')), 'bin/oxlint')
const lint = spawnSync(
  process.execPath,
  [oxlint, '-c', join(root, '.ci/workflow.oxlintrc.json'), '--disable-nested-config', '--no-ignore', ...files],
  {
    cwd: base,
    encoding: 'utf8',
  },
)
if (lint.status !== 0) {
  console.error((lint.stdout + lint.stderr).trim())
  process.exit(1)
}
console.log(`${files.length} files in the workflow bundle, ${Math.round(bundle.code.length / 1024)} KB`)
