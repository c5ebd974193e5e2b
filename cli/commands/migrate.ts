/** migrate */
import { createPool } from '../../store/db.ts'
import { migrate } from '../../store/migrate.ts'
import type { ExitCode } from '../exit.ts'
import { print, printJson } from '../output/text.ts'
import { databaseUrl } from '../session.ts'

export async function migrateDatabase({ json }: { json?: boolean }): Promise<ExitCode> {
  const pool = createPool(databaseUrl(), { max: 1 })
  try {
    const applied = await migrate(pool)
    if (json) printJson({ applied })
    else print(applied.length === 0 ? 'The database is of this version already.' : `Applied: ${applied.join(', ')}`)
    return 0
  } finally {
    await pool.end()
  }
}
