/**
 * One suite for every connector: the checks of tests/acceptance/checks.ts against each subject of tests/acceptance/subjects/.
 * One connector alone: node scripts/test.mjs --project db tests/db/acceptance.test.ts -t NAME
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectors } from '../../connectors/registry.ts'
import { loadSubjects } from '../acceptance/all.ts'
import { createBench, type Bench } from '../acceptance/bench.ts'
import { checks, NOT_THERE } from '../acceptance/checks.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

const entries = await loadSubjects()

it('every connector has a subject, and every subject a connector', () => {
  const named = entries.map(({ subject, file }) => subject?.name ?? file)
  expect(named.toSorted()).toEqual(Object.keys(connectors).toSorted())
})

for (const { file, subject, error } of entries) {
  if (!subject) {
    it(`${file} can be loaded`, () => {
      throw error
    })
    continue
  }
  describe(`connector ${subject.name}`, () => {
    let db: FreshDatabase
    let bench: Bench
    beforeAll(async () => {
      const connector = connectors[subject.name]
      if (!connector) throw new Error(`no connector ${subject.name} in connectors/registry.ts`)
      db = await freshDatabase()
      bench = createBench(subject, connector, db)
    })
    afterEach(() => bench.clear())
    afterAll(() => db.drop())

    for (const check of checks)
      it(check.title, async ({ skip }) => {
        if ((await check.run(bench)) === NOT_THERE) skip('it has nothing of the kind')
      })
  })
}
