/** What a measurement stands on: an embedded PostgreSQL that syncs to disk and a Temporal dev server, of the benchmark's own. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startPostgres, type RunningPostgres } from '../cli/embedded/postgres.ts'
import { startTemporal, type RunningTemporal } from '../cli/embedded/temporalServer.ts'
import { createPool } from '../store/db.ts'
import { migrate } from '../store/migrate.ts'
import { removeTestFolder, sweepTestFolders, testFolder } from '../tests/harness/testFolders.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Servers start when they are first asked for. */
export class Place {
  #postgres: Promise<RunningPostgres> | null = null
  #temporal: Promise<RunningTemporal> | null = null
  readonly #folder: string
  readonly #say: (line: string) => void

  private constructor(folder: string, say: (line: string) => void) {
    this.#folder = folder
    this.#say = say
  }

  /** Servers and folders of a run that was killed are removed first. */
  static async open(say: (line: string) => void): Promise<Place> {
    await sweepTestFolders()
    return new Place(testFolder(), say)
  }

  async postgresUrl(): Promise<string> {
    this.#postgres ??= startPostgres({ dataDir: this.#folder, maxConnections: 200, say: this.#say })
    return (await this.#postgres).url
  }

  async temporal(): Promise<{ address: string; namespace: string }> {
    this.#temporal ??= startTemporal({ dataDir: this.#folder, root, ui: false, supervise: false, say: this.#say })
    return await this.#temporal
  }

  /** An empty database of one's own; `close` removes it with everything else. */
  async database(): Promise<string> {
    const url = new URL(await this.postgresUrl())
    const name = `bench_${randomBytes(4).toString('hex')}`
    const admin = new pg.Client({ connectionString: url.href })
    await admin.connect()
    await admin.query(`create database ${name}`)
    await admin.end()
    url.pathname = `/${name}`
    return url.href
  }

  async migratedDatabase(): Promise<string> {
    const url = await this.database()
    const pool = createPool(url, { max: 1 })
    await migrate(pool)
    await pool.end()
    return url
  }

  async close(): Promise<void> {
    const [postgres, temporal] = await Promise.all([this.#postgres, this.#temporal])
    await temporal?.stop()
    await postgres?.stop()
    if (postgres) rmSync(postgres.cluster, { recursive: true, force: true })
    removeTestFolder(this.#folder)
  }
}
