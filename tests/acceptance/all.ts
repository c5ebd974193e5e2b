/** Every subject: one file a connector in subjects/. */
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Subject } from './subject.ts'

/** One that cannot be loaded fails by itself, in each of its checks. */
async function load(path: string): Promise<Subject> {
  try {
    return ((await import(pathToFileURL(path).href)) as { subject: Subject }).subject
  } catch (error) {
    return {
      name: basename(path, '.ts'),
      stage: () => {
        throw error
      },
    }
  }
}

export const loadSubjects = (folder = join(import.meta.dirname, 'subjects')): Promise<Subject[]> =>
  Promise.all(
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .toSorted()
      .map((name) => load(join(folder, name))),
  )
