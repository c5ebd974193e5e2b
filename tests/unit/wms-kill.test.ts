import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { writeWhole } from '../../connectors/wms/folder.ts'

const repository = join(import.meta.dirname, '../..')
const NAME = 'wave-w-1.xml'
const content = `<Wave>${'陳'.repeat(20_000_000)}</Wave>\n`
const writer = (folder: string) => `
  import { writeWhole } from ${JSON.stringify(join(repository, 'connectors/wms/folder.ts'))}
  await writeWhole(${JSON.stringify(folder)}, '${NAME}', '<Wave>' + '陳'.repeat(20_000_000) + '</Wave>\\n', Date.now())`

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wms-kill-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** The bytes that lie under a temporary name, or null when the file is not (or no longer) being written. */
async function written(): Promise<number | null> {
  const temporary = (await readdir(folder)).find((name) => name.endsWith('.tmp'))
  if (temporary === undefined) return null
  return (await stat(join(folder, temporary)).catch(() => null))?.size ?? null // renamed between the two looks
}

/** Starts a writer and kills it once so many bytes are written. @returns false when it was done before it could be killed. */
async function killWriterAfter(bytes: number): Promise<boolean> {
  const arguments_ = ['--import', 'tsx', '--input-type=module', '-e', writer(folder)]
  const child = spawn(process.execPath, arguments_, { cwd: repository, stdio: 'inherit' })
  const ended = once(child, 'exit')
  for (let seen = 0; seen < bytes && child.exitCode === null;) seen = (await written()) ?? 0
  child.kill('SIGKILL')
  await ended
  expect(child.exitCode ?? 0, 'the writer failed by itself').toBe(0)
  return !(await readdir(folder)).includes(NAME)
}
const isWhole = async () => (await readFile(join(folder, NAME), 'utf8')) === content

it.each([1, 10_000_000, 40_000_000])(
  'a writer killed after %i bytes leaves no half wave under the final name',
  { timeout: 60_000 },
  async (bytes) => {
    // On a busy machine a writer may be done before it is killed; then its wave is whole, and the next one is tried.
    while (!(await killWriterAfter(bytes))) {
      expect(await isWhole()).toBe(true)
      await rm(join(folder, NAME))
    }
    expect((await readdir(folder)).every((name) => name.startsWith('.') && name.endsWith('.tmp'))).toBe(true)

    await writeWhole(folder, NAME, content, Date.now() + 2 * 3_600_000)
    expect(await readdir(folder), 'two hours later the next writer tidies what the killed one left').toEqual([NAME])
    expect(await isWhole()).toBe(true)
  },
)
