/** Returns on the command line: from the asking to the money, and what is said to ugly input. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { giveFeedback } from '../../activities/returns/feedback.ts'
import { main } from '../../cli/program.ts'
import { OrderDetailAnswer } from '../../server/schemas.ts'
import { getOrder } from '../../store/orders.ts'
import { readReturn } from '../../store/returns.ts'
import { lines } from './spineFixture.ts'
import { startParticipants, type Participants } from './participantsFixture.ts'
import { returnsOf } from './returnsFixture.ts'

let at: Participants
beforeAll(async () => {
  at = await startParticipants()
})
afterAll(async () => {
  await at?.stop()
})
const { delivered, policy, refundsOf } = returnsOf(() => at)

describe('on the command line', () => {
  afterAll(() => {
    vi.unstubAllEnvs()
  })
  const omnisaga = (...argv: string[]) => command('returns', ...argv)
  const command = async (...argv: string[]): Promise<{ code: number; said: string }> => {
    vi.stubEnv('DATABASE_URL', at.spine.db.url)
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:9')
    vi.stubEnv('OMNISAGA_SECRET_KEY', 'a passphrase for tests')
    const said: string[] = []
    const hear = (chunk: unknown) => said.push(String(chunk)) > 0
    const spies = [
      vi.spyOn(process.stdout, 'write').mockImplementation(hear),
      vi.spyOn(process.stderr, 'write').mockImplementation(hear),
    ]
    try {
      return { code: await main(argv), said: said.join('') }
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
  }

  it('a return goes from the asking to the money, and says what can be done at each step', async () => {
    const id = await delivered({ lines: lines(['TEE-S', 2], ['TEE-M', 1, 30_000]) })
    const first = await omnisaga(
      'ask',
      id,
      '--line',
      'TEE-S=2',
      '--line',
      '2=1',
      '--reason',
      '不合身',
      '--key',
      'web-1',
      '--json',
    )
    expect(first.code, first.said).toBe(0)
    const row = JSON.parse(first.said) as { id: string; possible: string[] }
    expect(row).toMatchObject({
      state: 'approved',
      reason: '不合身',
      possible: [`omnisaga returns cancel ${row.id}`, `omnisaga returns receive ${row.id}`],
    })
    const again = await omnisaga(
      'ask',
      id,
      '--line',
      'TEE-S=2',
      '--line',
      '2=1',
      '--reason',
      '不合身',
      '--key',
      'web-1',
      '--json',
    )
    expect((JSON.parse(again.said) as { id: string }).id).toBe(row.id)
    expect((await omnisaga('receive', row.id, '--at', 'shop', '--line', 'TEE-S=1')).code).toBe(0)
    expect((await omnisaga('receive', row.id)).code).toBe(0)
    expect((await omnisaga('inspect', row.id, 'scrap', '--line', 'TEE-S=1', '--note', '破損')).code).toBe(0)
    const done = await omnisaga('inspect', row.id, 'restock')
    expect(done.said).toContain('1 × line 1: scrap at shop')
    expect(await refundsOf(id)).toMatchObject([{ amount: 50_000 }])
    expect((await omnisaga('--order', id)).said).toContain('done')
    await giveFeedback(at.runtime, id, { score: 4, text: '還可以' }, 'web')
    const whole = await getOrder(at.runtime.pool, id)
    expect(OrderDetailAnswer.parse(whole)).toMatchObject({
      returns: [{ id: row.id, state: 'done', dispositions: [{ disposition: 'scrap' }, { disposition: 'restock' }, {}] }],
      feedback: { score: 4, text: '還可以', by: 'web' },
    })
    const page = (await command('order', id)).said
    expect(page).toContain(`${row.id}  done  store, shop: 2 of 2 × TEE-S, 1 of 1 × TEE-M (1 scrap, 1 restock, 1 restock)`)
    expect(page).toContain('4 of 5  還可以')
    expect((await omnisaga('--state', 'refused', '--order', id)).said).toBe('There are no such returns.\n')
  })

  it('what is outside the rules is approved or refused by name', async () => {
    await policy({ windowDays: 7, rules: [{ excluded: true }] })
    const id = await delivered()
    const asked = JSON.parse((await omnisaga('ask', id, '--everything', '--reason', 'x', '--json')).said) as { id: string }
    expect((await omnisaga('show', asked.id)).said).toContain('TEE-S is not taken back')
    expect((await omnisaga('refuse', asked.id)).code).toBe(0)
    expect((await omnisaga('approve', asked.id)).code).toBe(0)
    expect((await readReturn(at.runtime.pool, asked.id)).state).toBe('approved')
    await policy({})
  })

  it('ugly input is told with its place, its value and the remedy', async () => {
    const id = await delivered()
    const asked = JSON.parse((await omnisaga('ask', id, '--line', '1=1', '--reason', 'x', '--json')).said) as { id: string }
    const refused: [string[], string][] = [
      [['ask', 'nobody', '--everything', '--reason', 'x'], 'there is no order nobody'],
      [['ask', id, '--line', 'SOCK=1', '--reason', 'x'], '--line SOCK: there is no such line\n  Lines are 1 (TEE-S)'],
      [['ask', id, '--line', '1=5', '--reason', 'x'], 'of line 1 the customer has 1 that can come back, not 5'],
      [['ask', id, '--line', '1=1', '--reason', 'x', '--to', 'moon'], 'there is no location moon'],
      [['show', 'rt-9'], 'there is no return rt-9\n  `omnisaga returns` lists them.'],
      [['receive', asked.id, '--at', 'moon'], 'there is no location moon'],
      [['receive', asked.id, '--line', '1=2'], 'of line 1 1 pieces are still to come, not 2'],
      [['inspect', asked.id, 'scrap'], `Receive it first: omnisaga returns receive ${asked.id}.`],
      [['--order', 'nobody'], 'there is no order nobody'],
    ]
    for (const [argv, words] of refused) {
      const { code, said } = await omnisaga(...argv)
      expect([code, said], argv.join(' ')).toEqual([1, expect.stringContaining(words)])
    }
    for (const [argv, words] of [
      [['ask', id, '--line', '1', '--reason', 'x'], '--line 1: write a line and its pieces'],
      [['ask', id, '--line', '1=1', '--everything', '--reason', 'x'], 'name what comes back'],
      [['ask', id, '--everything', '--reason', 'x', '--instead', 'TEE-M=1'], 'write SKU=PIECES@PRICE'],
    ] as [string[], string][]) {
      const { code, said } = await omnisaga(...argv)
      expect([code, said], argv.join(' ')).toEqual([2, expect.stringContaining(words)])
    }
  })
})
