/**
 * One suite for every connector: the checks of tests/acceptance/checks.ts against each subject of tests/acceptance/subjects/.
 * One connector alone: node scripts/test.mjs --project db tests/db/acceptance.test.ts -t "connector NAME"
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectors } from '../../connectors/registry.ts'
import { loadSubjects } from '../acceptance/all.ts'
import { createBench, type Bench } from '../acceptance/bench.ts'
import { checks, NOT_THERE } from '../acceptance/checks.ts'
import { checkRow, type Mark } from '../acceptance/page.ts'
import { root } from '../harness/paths.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

const subjects = await loadSubjects()

it('every connector has a subject, and every subject a connector', () => {
  expect(subjects.map(({ name }) => name).toSorted()).toEqual(Object.keys(connectors).toSorted())
})

/** By connector and column: what this run saw. */
const seenOf = new Map<string, Map<string, Mark>>()

describe.each(subjects.map((subject) => [subject.name, subject] as const))('connector %s', (name, subject) => {
  let db: FreshDatabase
  let bench: Bench
  const seen = new Map<string, Mark>()
  seenOf.set(name, seen)
  beforeAll(async () => {
    const connector = connectors[name]
    if (!connector) throw new Error(`no connector ${name} in connectors/registry.ts`)
    db = await freshDatabase()
    bench = createBench(subject, connector, db)
  })
  afterEach(() => bench.clear())
  afterAll(() => db.drop())

  it.for(checks.map((check) => [check.title, check] as const))('%s', async ([, check], { skip }) => {
    seen.set(check.column, '✗')
    const outcome = await check.run(bench)
    seen.set(check.column, outcome === NOT_THERE ? '-' : '✓')
    if (outcome === NOT_THERE) skip('it has nothing of the kind')
  })
})

describe('docs/connectors.md (node scripts/connectors-table.mjs writes it)', () => {
  it.each(subjects.map(({ name }) => name))('says of %s what this run saw', (name) => {
    const page = readFileSync(join(root, 'docs/connectors.md'), 'utf8').split('\n')
    expect(page).toContain(checkRow(name, seenOf.get(name) ?? new Map()))
  })
})
