/** Every subject: one file a connector in subjects/. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Subject } from './subject.ts'

export interface Entry {
  file: string
  subject: Subject | null
  /** Why it could not be loaded. */
  error: unknown
}

/** One that cannot be loaded fails alone. */
export async function loadSubjects(folder = join(import.meta.dirname, 'subjects')): Promise<Entry[]> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  return await Promise.all(
    files.toSorted().map(async (file): Promise<Entry> => {
      try {
        const loaded = (await import(pathToFileURL(join(folder, file)).href)) as { subject: Subject }
        return { file, subject: loaded.subject, error: null }
      } catch (error) {
        return { file, subject: null, error }
      }
    }),
  )
}
