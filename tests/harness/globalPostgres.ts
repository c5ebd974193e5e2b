/** Vitest globalSetup of the projects that need a database: one PostgreSQL a test run, with a migrated template. */
import type { TestProject } from 'vitest/node'
import { rmSync } from 'node:fs'
import pg from 'pg'
import { startPostgres, type RunningPostgres } from '../../cli/embedded/postgres.ts'
import { createPool } from '../../store/db.ts'
import { migrate } from '../../store/migrate.ts'
import { removeTestFolder, sweepTestFolders, testFolder } from './testFolders.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
    templateDatabase: string
  }
}

const TEMPLATE = 'omnisaga_template'

interface Shared {
  starting: Promise<{ server: RunningPostgres; folder: string }>
  users: number
}
// Each project loads this file anew, in one process: what they share hangs on the global object.
const shared = globalThis as { omnisagaTestPostgres?: Shared }

async function startWithTemplate() {
  await sweepTestFolders()
  const folder = testFolder()
  const server = await startPostgres({ dataDir: folder, durable: false, maxConnections: 400, say: (line) => console.log(line) })
  const admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  await admin.query(`create database ${TEMPLATE}`)
  await admin.end()
  const url = new URL(server.url)
  url.pathname = `/${TEMPLATE}`
  const pool = createPool(url.href, { max: 1 })
  await migrate(pool)
  await pool.end()
  return { server, folder }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const mine = (shared.omnisagaTestPostgres ??= { starting: startWithTemplate(), users: 0 })
  mine.users++
  const { server, folder } = await mine.starting
  project.provide('postgresUrl', server.url)
  project.provide('templateDatabase', TEMPLATE)
  return async () => {
    if (--mine.users > 0) return
    delete shared.omnisagaTestPostgres
    await server.stop()
    rmSync(server.cluster, { recursive: true, force: true })
    removeTestFolder(folder)
  }
}
