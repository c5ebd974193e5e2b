import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startOf } from '../../cli/embedded/processes.ts'
import { lock, readRunFile, removeRunFile, writeRunFile } from '../../cli/embedded/runFile.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnisaga-run-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const content = {
  databaseUrl: 'postgresql://x',
  temporalAddress: null,
  temporalNamespace: 'default',
  temporalUi: null,
  httpPort: 1,
}
const gonePid = () => spawnSync(process.execPath, ['-e', '']).pid

test('a second lock on one data folder names the process that holds the first', () => {
  const release = lock(folder)
  expect(() => lock(folder)).toThrow(`process ${process.pid}`)
  release()
  lock(folder)()
})

test('the lock of a process that was killed is taken over', () => {
  writeFileSync(join(folder, 'up.lock'), JSON.stringify({ pid: gonePid(), start: '1' }))
  lock(folder)()
})

test('the lock of a process whose id was given to another is taken over', () => {
  writeFileSync(join(folder, 'up.lock'), JSON.stringify({ pid: process.pid, start: `${startOf(process.pid)}0` }))
  lock(folder)()
})

test('a lock file that was cut off is taken over', () => {
  writeFileSync(join(folder, 'up.lock'), '{"pi')
  lock(folder)()
})

test('run.json is read while its process lives, and not after it was removed', () => {
  writeRunFile(folder, content)
  expect(readRunFile(folder)).toMatchObject({ ...content, pid: process.pid })
  removeRunFile(folder)
  expect(readRunFile(folder)).toBeNull()
})

test('run.json of a process that was killed counts as nothing running', () => {
  writeFileSync(join(folder, 'run.json'), JSON.stringify({ ...content, pid: gonePid(), start: '1' }))
  expect(readRunFile(folder)).toBeNull()
})
