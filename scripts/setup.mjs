/**
 * Makes a fresh clone ready. Built-ins only: there may be no node_modules yet. Does nothing when all is there.
 *   node scripts/setup.mjs [--tests]     --tests: also what only the tests need
 */
import { spawn } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { findTemporal, namesTemporal } from './temporal-cli.mjs'
import { findTimeSkippingServer } from './time-skipping-server.mjs'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))

export class SetupError extends Error {}

function checkNode() {
  const wanted = /\d+\.\d+/.exec(readJson('package.json').engines.node)[0].split('.').map(Number)
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
    throw new SetupError(
      `Node ${wanted.join('.')} or later is needed, this is ${process.versions.node}: https://nodejs.org, or nvm install 20`,
    )
  }
}

/** Compares what npm installed (its own note in node_modules) with the lock. @returns why to install, or null. */
function whyInstall() {
  const note = join('node_modules', '.package-lock.json')
  if (!existsSync(join(root, note))) return 'no node_modules yet'
  const installed = readJson(note).packages
  for (const [path, wanted] of Object.entries(readJson('package-lock.json').packages)) {
    if (path === '' || wanted.link) continue
    const found = installed[path]
    if (!found && wanted.optional) continue // made for another platform
    if (found?.version !== wanted.version) return `package-lock.json changed (${path.replace(/^.*node_modules\//, '')})`
  }
  return null
}

function run(command, args) {
  return new Promise((done, failed) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    })
    child.once('error', failed)
    child.once('exit', (code, signal) =>
      code === 0 ? done() : failed(new Error(signal ? `ended by ${signal}` : `exit code ${code}`)),
    )
  })
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** @returns the process that holds the lock, or `gone` when it left it behind. */
function ownerOf(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    // Made and not yet written to, a moment ago: somebody is about to.
    if (pid === 0) return Date.now() - statSync(lock).mtimeMs > 5_000 ? 'gone' : 'unknown'
    return isAlive(pid) ? pid : 'gone'
  } catch (error) {
    if (error.code === 'ENOENT') return 'gone'
    throw error
  }
}

/** One set-up at a time in a clone: two `npm ci` at once remove each other's packages. */
async function alone(say, work) {
  const lock = join(root, '.cache', 'setup.lock')
  mkdirSync(dirname(lock), { recursive: true })
  for (let told = false; ;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const owner = ownerOf(lock)
    if (owner === 'gone') {
      rmSync(lock, { force: true })
      continue
    }
    if (!told) say(`waiting for another set-up of this clone (process ${owner})`)
    told = true
    await new Promise((look) => setTimeout(look, 200))
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

async function installPackages(say) {
  if (whyInstall()) await alone(say, () => installOnce(say))
}

async function installOnce(say) {
  const why = whyInstall() // another set-up may just have done it
  if (!why) return
  say(`installing packages: ${why}`)
  // The npm that started us, else the one on PATH.
  const own = process.env.npm_execpath
  const [command, before] = own && /npm-cli\.[cm]?js$/.test(own) ? [process.execPath, [own]] : ['npm', []]
  try {
    await run(command, [...before, 'ci', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev'])
  } catch (error) {
    throw new SetupError(`npm ci failed (${error.message}): see that the npm registry can be reached, then try again`)
  }
}

/** So that `npx omnisaga` finds the command without asking a registry. */
function linkCommand() {
  const link = join(root, 'node_modules', '.bin', 'omnisaga')
  if (process.platform === 'win32' || existsSync(link)) return
  mkdirSync(dirname(link), { recursive: true })
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link) // a link that leads nowhere
  symlinkSync('../../bin/omnisaga.mjs', link)
}

/** @throws SetupError with one line that says how to mend it. */
export async function setup({ tests = false, say = (line) => console.log(`setup: ${line}`) } = {}) {
  checkNode()
  await installPackages(say)
  linkCommand()
  try {
    if (tests || !namesTemporal(process.env)) await findTemporal({ root, say, env: tests ? {} : process.env })
    if (tests) await findTimeSkippingServer({ root, say })
  } catch (error) {
    throw new SetupError(error.message)
  }
}

/** `setup`, with a failure told in one line and exit code 1. */
export async function setupOrExit(options) {
  try {
    await setup(options)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
  await setupOrExit({ tests: process.argv.includes('--tests') })
