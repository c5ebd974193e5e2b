import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TEMPORAL_CLI_VERSION, findTemporal } from '../../scripts/temporal-cli.mjs'

let folder: string
const said: string[] = []
const say = (line: string) => {
  said.push(line)
}
const fake = (path: string, answer: string) => {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${answer}\n`, { mode: 0o755 })
  return path
}
const cached = () =>
  fake(join(folder, '.cache/temporal', `temporal-${TEMPORAL_CLI_VERSION}`), `echo temporal version ${TEMPORAL_CLI_VERSION}`)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnisaga-cli-'))
  said.length = 0
  vi.stubEnv('PATH', `${join(folder, 'path')}:/usr/bin:/bin`)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

test('a server named by TEMPORAL_ADDRESS needs no program', async () => {
  expect(await findTemporal({ root: folder, say, env: { TEMPORAL_ADDRESS: 'cloud:7233' } })).toEqual({ address: 'cloud:7233' })
})

test('one on PATH that is new enough comes before one fetched', async () => {
  cached()
  const binary = fake(join(folder, 'path/temporal'), 'echo "temporal version 1.10.0 (Server 1.33.0, UI 2.55.0)"')
  expect(await findTemporal({ root: folder, say, env: {} })).toEqual({ binary, version: '1.10.0' })
  expect(said).toEqual([])
})

test('one on PATH that is too old is told in one line, and the one fetched before is used', async () => {
  const binary = cached()
  fake(join(folder, 'path/temporal'), 'echo temporal version 1.4.9')
  expect(await findTemporal({ root: folder, say, env: {} })).toEqual({ binary, version: TEMPORAL_CLI_VERSION })
  expect(said).toEqual([expect.stringMatching(/on PATH .* not used: version 1\.4\.9 is older than/)])
})

test('one on PATH that does not run is told in one line', async () => {
  cached()
  fake(join(folder, 'path/temporal'), 'echo wrong architecture >&2; exit 126')
  await findTemporal({ root: folder, say, env: {} })
  expect(said).toEqual([expect.stringMatching(/not used: wrong architecture$/)])
})
