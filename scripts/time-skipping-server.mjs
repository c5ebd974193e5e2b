/**
 * Finds or fetches Temporal's time-skipping test server, pinned. Built-ins only.
 * Order: one made before · Maven Central's jars by HTTPS, or by `mvn`, each compared with its sha256, run by `java` on the
 * loopback address · the SDK's download, a native program that needs no Java (it listens on every interface, and is pinned by version
 * only, hence last). Each failure is told in one line.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))

export const TEST_SERVER_VERSION = '1.38.0'
const CENTRAL = 'https://repo1.maven.org/maven2'
const PROBE_MS = 4_000
const FETCH_MS = 180_000

/** `{ 'group:artifact:version': sha256 }` of temporal-test-server and all it needs. */
const jars = () => JSON.parse(readFileSync(join(here, 'time-skipping-jars.json'), 'utf8'))
const jarName = (coordinates) => `${coordinates.split(':').slice(1).join('-')}.jar`
const firstLine = (error) =>
  String(error.stderr || error.cause?.message || error.message)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .at(0) ?? 'no reason given'

function keep(folder, coordinates, bytes) {
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== jars()[coordinates]) throw new Error(`${coordinates} is not the one that was pinned (sha256 ${found})`)
  writeFileSync(join(folder, jarName(coordinates)), bytes)
}

async function jarsByHttps(folder) {
  await Promise.all(
    Object.keys(jars()).map(async (coordinates) => {
      const [group, artifact, version] = coordinates.split(':')
      const url = `${CENTRAL}/${group.replaceAll('.', '/')}/${artifact}/${version}/${jarName(coordinates)}`
      const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) })
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
      keep(folder, coordinates, Buffer.from(await answer.arrayBuffer()))
    }),
  )
}

async function jarsByMaven(folder) {
  const copied = join(folder, 'copied')
  mkdirSync(copied, { recursive: true })
  const [group, artifact, version] = ['io.temporal', 'temporal-test-server', TEST_SERVER_VERSION]
  writeFileSync(
    join(copied, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
    <groupId>omnisaga</groupId><artifactId>time-skipping</artifactId><version>1</version><dependencies><dependency>
    <groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency></dependencies></project>`,
  )
  await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${copied}`], {
    cwd: copied,
    timeout: FETCH_MS,
  })
  for (const coordinates of Object.keys(jars())) keep(folder, coordinates, readFileSync(join(copied, jarName(coordinates))))
  rmSync(copied, { recursive: true })
}

/** Jars, one class of ours, and a program that takes `PORT [--enable-time-skipping]`. */
async function byJava(folder, say) {
  await run('javac', ['-version']).catch((error) => {
    throw new Error(error.code === 'ENOENT' ? 'no JDK (java and javac, 11 or later) on PATH' : firstLine(error))
  })
  const lib = join(folder, 'lib')
  mkdirSync(lib, { recursive: true })
  try {
    await jarsByHttps(lib)
  } catch (error) {
    say(`Temporal test server not fetched from Maven Central by HTTPS: ${firstLine(error)}`)
    await jarsByMaven(lib)
  }
  await run('javac', [
    '-cp',
    join(lib, '*'),
    '-d',
    join(folder, 'classes'),
    join(here, '../tests/harness/java/LoopbackTestServer.java'),
  ])
  const program = join(folder, 'time-skipping-server')
  writeFileSync(
    program,
    `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
exec java -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$here/classes:$here/lib/*" LoopbackTestServer "$@"
`,
  )
  chmodSync(program, 0o755)
}

async function bySdk(root, folder) {
  const library = join(root, 'node_modules/@temporalio/testing/lib/index.js')
  if (!existsSync(library)) throw new Error('@temporalio/testing is not installed')
  await fetch(`https://temporal.download/temporal-test-server/v${TEST_SERVER_VERSION}`, {
    method: 'HEAD',
    signal: AbortSignal.timeout(PROBE_MS),
  })
  const program = `
    import testing from ${JSON.stringify(pathToFileURL(library).href)}
    const executable = { type: 'cached-download', version: 'v${TEST_SERVER_VERSION}', downloadDir: ${JSON.stringify(folder)} }
    const env = await testing.TestWorkflowEnvironment.createTimeSkipping({ server: { executable } })
    await env.teardown()`
  await run(process.execPath, ['--input-type=module', '-e', program], { timeout: FETCH_MS, cwd: root })
  const name = readdirSync(folder).find((entry) => entry.startsWith('temporal-test-server-v'))
  if (!name) throw new Error('the download left no program')
  renameSync(join(folder, name), join(folder, 'time-skipping-server'))
}

/**
 * @param {{ root: string, say?: (line: string) => void }} options root: the clone
 * @returns {Promise<string>} a program that takes `PORT [--enable-time-skipping]`
 */
export async function findTimeSkippingServer({ root, say = console.log }) {
  const home = join(root, '.cache', `time-skipping-${TEST_SERVER_VERSION}`)
  const program = join(home, 'time-skipping-server')
  if (existsSync(program)) return program
  const ways = [
    ['Maven Central', (folder) => byJava(folder, say)],
    ['the SDK’s download', (folder) => bySdk(root, folder)],
  ]
  for (const [name, make] of ways) {
    const folder = `${home}.${process.pid}`
    mkdirSync(folder, { recursive: true })
    try {
      await make(folder)
      if (!existsSync(program)) {
        rmSync(home, { recursive: true, force: true })
        renameSync(folder, home)
      }
      say(`Temporal test server ${TEST_SERVER_VERSION} fetched from ${name}`)
      return program
    } catch (error) {
      say(`Temporal test server not fetched from ${name}: ${firstLine(error)}`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  throw new Error(
    'no Temporal test server, which the tests of weeks in seconds need: install a JDK 11 or later (Debian: apt-get install default-jdk-headless; ' +
      'macOS: brew install openjdk), see that https://repo1.maven.org or https://temporal.download can be reached, and run npm test again',
  )
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await findTimeSkippingServer({ root: resolve(here, '..') }))
}
