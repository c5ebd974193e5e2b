/**
 * Checks the house: types, lint, format, arrows, determinism of the workflows. Each prints ok or what is wrong; exit 1 when one fails.
 *
 * node scripts/check.mjs [--json FILE] [NAME …]
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true })

/** The script behind a package's command; run with this very Node, so that no shell and no PATH matter. */
const command = (name, binary = name) => {
  const file = createRequire(import.meta.url).resolve(`${root}/node_modules/${name}/package.json`)
  const { bin } = JSON.parse(readFileSync(file, 'utf8'))
  return join(dirname(file), typeof bin === 'string' ? bin : bin[binary])
}

const checks = {
  types: { run: () => [command('typescript', 'tsc'), '-p', '.'], remedy: 'mend the types' },
  lint: { run: () => [command('oxlint'), '--deny-warnings'], remedy: 'mend what is named; rules: .oxlintrc.json' },
  format: { run: () => [command('prettier'), '--check', '--log-level=warn', '.'], remedy: 'npm run format' },
  arrows: {
    run: () => [command('dependency-cruiser', 'depcruise'), '--config', '.dependency-cruiser.cjs', '.'],
    remedy: 'see CONTRIBUTING.md, Arrows',
  },
  determinism: { run: () => [join(root, 'scripts/check-determinism.mjs')], remedy: 'see CONTRIBUTING.md, Workflows' },
}

const unknown = positionals.filter((name) => !(name in checks))
if (unknown.length > 0) {
  console.error(`no check named ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`)
  process.exit(2)
}

const results = []
for (const [name, { run, remedy }] of Object.entries(checks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const started = performance.now()
  const ended = spawnSync(process.execPath, run(), {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ok = ended.status === 0
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${name.padEnd(12)} ${ok ? 'ok' : 'FAILED'} (${seconds} s)${ok ? '' : `: ${remedy}`}`)
  if (!ok) console.log(`${ended.stdout}${ended.stderr}${ended.error?.message ?? ''}`.trimEnd().replace(/^/gm, '  '))
  results.push({ name, ok })
}
if (values.json !== undefined) {
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, JSON.stringify(results))
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
