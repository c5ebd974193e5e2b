import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseSet, setHint } from '../../cli/setFields.ts'
import { Misuse } from '../../cli/exit.ts'
import { duration, safe, shellWord, table } from '../../cli/output/text.ts'
import { cut, padded, widthOf } from '../../cli/output/width.ts'
import { explain } from '../../cli/output/failure.ts'
import { buildProgram, main, PHASES } from '../../cli/program.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { Phase } from '../../domain/order.ts'
import { root } from '../harness/paths.ts'

const quietly = async (...argv: string[]) => {
  const text: string[] = []
  const keep = (chunk: unknown) => {
    text.push(String(chunk))
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(keep)
  vi.spyOn(process.stderr, 'write').mockImplementation(keep)
  try {
    return { code: await main(argv), text: text.join('') }
  } finally {
    vi.restoreAllMocks()
  }
}
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('the omnisaga command', () => {
  it('route simulate stood in --help and not in docs/commands.md', async () => {
    const page = await readFile(join(root, 'docs/commands.md'), 'utf8')
    const leaves = (command: ReturnType<typeof buildProgram>, before = ''): string[] =>
      command.commands.flatMap((inner) =>
        inner.commands.length > 0 ? leaves(inner, `${before}${inner.name()} `) : [`${before}${inner.name()}`],
      )
    const words = page.replaceAll(/[`|]/g, ' ')
    const told = (name: string) => name.split(' ').every((word) => words.includes(` ${word} `))
    expect(leaves(buildProgram(async () => undefined)).filter((name) => !told(name))).toEqual([])
  })

  it('has exactly the commands that were promised', () => {
    const names = (command: ReturnType<typeof buildProgram>): string[] =>
      command.commands.flatMap((inner) => [inner.name(), ...names(inner).map((name) => `${inner.name()} ${name}`)])
    expect(names(buildProgram(async () => undefined))).toEqual([
      'up',
      'worker',
      'server',
      'migrate',
      'keys',
      'keys add',
      'connections',
      'connections apply',
      'connections list',
      'connections check',
      'pull',
      'connectors',
      'connector',
      'connector show',
      'connector new',
      'label',
      'remittances',
      'remittances pull',
      'waves',
      'waves list',
      'waves make',
      'waves pick-list',
      'pack',
      'manifest',
      'manifest create',
      'manifest pickup',
      'manifest handed-over',
      'import',
      'profile',
      'profile new',
      'profile apply',
      'profile list',
      'profile show',
      'alias',
      'alias set',
      'alias list',
      'route',
      'route simulate',
      'orders',
      'order',
      'stock',
      'stock set',
      'stock drift',
      'stock allot',
      'stock allotments',
      'stock unallot',
      'listings',
      'listings map',
      'listings ignore',
      'listings find',
      'listings push',
      'campaigns',
      'campaign',
      'campaign set',
      'campaign close',
      'appointments',
      'appointments arrived',
      'appointments cancel',
      'appointments move',
      'transfers',
      'transfers ship',
      'transfers arrive',
      'transfers cancel',
      'receipts',
      'receipts import',
      'purchases',
      'returns',
      'returns show',
      'returns ask',
      'returns approve',
      'returns refuse',
      'returns cancel',
      'returns receive',
      'returns inspect',
      'tasks',
      'task',
      'audit',
    ])
  })

  it('offers the phases that there are', () => {
    expect(PHASES).toEqual(Phase.options)
  })

  it.each([['--help'], ['import', '--help'], ['--version'], []])(
    'ends well when it is asked for help: %s %s',
    async (...argv) => {
      expect((await quietly(...argv.filter((each) => each !== undefined))).code).toBe(0)
    },
  )

  it.each([
    ['an unknown command', ['explode']],
    ['an unknown option', ['orders', '--colour']],
    ['a missing argument', ['order']],
    ['a phase that is none', ['orders', '--phase', 'lost']],
    ['a task number that is none', ['task', 'first']],
    ['a quantity that is none', ['stock', 'set', 'A', 'taipei', '1.5', '--reason', 'x']],
    ['a count without a reason', ['stock', 'set', 'A', 'taipei', '1']],
    ['an import of nobody', ['import', 'a.xls']],
    ['a profile that would take in', ['import', 'a.xls', '--profile', 'momo']],
    ['profile and connection', ['import', 'a.xls', '--profile', 'momo', '--connection', 'momo', '--dry-run']],
    ['a return of nothing', ['returns', 'ask', 'A-1', '--reason', 'x']],
    ['a return of pieces that are none', ['returns', 'ask', 'A-1', '--reason', 'x', '--line', '1=some']],
    ['a disposition that is none', ['returns', 'inspect', 'rt-1', 'burn']],
    ['--set without an action', ['task', '1', '--set', 'a=b']],
    ['connections alone', ['connections']],
  ])('answers misuse with 2: %s', async (_what, argv) => {
    expect((await quietly(...argv)).code).toBe(2)
  })

  it('answers 1 and says what to do when nothing runs', async () => {
    vi.stubEnv('OMNISAGA_DATA', '/nonexistent/omnisaga')
    vi.stubEnv('DATABASE_URL', '')
    vi.stubEnv('TEMPORAL_ADDRESS', '')
    const { code, text } = await quietly('orders')
    expect(code).toBe(1)
    expect(text).toContain('npm start')
  }, 30_000) // the whole command is loaded, every connector with it

  it('answers 1 for a file that is not there, without a running system', async () => {
    const { code, text } = await quietly('import', '/nonexistent/orders.xls', '--profile', 'momo', '--dry-run')
    expect(code).toBe(1)
    expect(text).toContain('no such file')
  }, 30_000) // the whole command is loaded, every connector with it
})

describe('--set', () => {
  it('leads into objects by dots and into lists by brackets, and keeps phones and codes as text', () => {
    expect(
      parseSet([
        'recipient.phone=0912345678',
        'lines[1].sku=A-1',
        'keep.0=2',
        'delivery.promisedBy=null',
        'notes=a=b',
        'hsCodes=["6109.10"]',
        'storeId=000123',
      ]),
    ).toEqual({
      recipient: { phone: '0912345678' },
      lines: [{}, { sku: 'A-1' }],
      keep: { 0: 2 },
      delivery: { promisedBy: null },
      notes: 'a=b',
      hsCodes: ['6109.10'],
      storeId: '000123',
    })
  })

  it.each(['phone', '=x', 'a..b=1', 'a[x]=1', '__proto__.x=1', 'a.constructor=1'])('refuses %s', (pair) => {
    expect(() => parseSet([pair])).toThrow(Misuse)
  })

  it('refuses to go below a value', () => {
    expect(() => parseSet(['a=1', 'a.b=2'])).toThrow(Misuse)
  })

  it('shows what the task wants to be told', () => {
    expect(setHint({ field: 'recipient.phone', value: null }, 'change')).toEqual(['recipient.phone=VALUE'])
    expect(setHint({ field: 'unit', value: 'o-1-u1' }, 'packed')).toEqual(['unitId=o-1-u1'])
    expect(setHint({ field: null, value: null }, 'confirm')).toEqual([])
  })
})

describe('what is printed', () => {
  it('counts Chinese and full-width characters as two columns, combining marks as none', () => {
    expect([widthOf('abc'), widthOf('王小明'), widthOf('Ａ１'), widthOf('e\u0301'), widthOf('𠮷')]).toEqual([3, 6, 4, 1, 2])
    expect(cut('臺北市信義區', 7)).toBe('臺北市…')
    expect(padded('王', 4, true)).toBe('  王')
  })

  it('aligns columns of mixed text', () => {
    const text = table(
      [
        { name: '王小明', n: 5 },
        { name: 'Ann', n: 12 },
      ],
      [
        { title: 'NAME', of: (row) => row.name },
        { title: 'N', of: (row) => row.n, right: true },
      ],
    )
    expect(text.split('\n')).toEqual(['NAME     N', '王小明   5', 'Ann     12'])
  })

  it('a table wider than the terminal was broken anywhere; now long cells go on below themselves, and numbers stay whole', () => {
    const rows = [
      { id: 7, what: 'The courier refuses this parcel', can: 'retry, change, cancel' },
      { id: 12, what: '這筆訂單的收件地址不在配送範圍內請更正後再試', can: 'skip' },
    ]
    const text = table(
      rows,
      [
        { title: 'ID', of: (row) => row.id, right: true },
        { title: 'WHAT', of: (row) => row.what },
        { title: 'ACTIONS', of: (row) => row.can },
      ],
      46,
    )
    expect(text.split('\n')).toEqual([
      'ID  WHAT                  ACTIONS',
      ' 7  The courier refuses   retry, change,',
      '    this parcel           cancel',
      '12  這筆訂單的收件地址不  skip',
      '    在配送範圍內請更正後',
      '    再試',
    ])
    expect(Math.max(...text.split('\n').map(widthOf))).toBeLessThanOrEqual(46)
  })

  it('lets no text from outside steer the terminal', () => {
    expect(safe('a\u001b[2Jb\nc\u202ed')).toBe('a [2Jb c d')
  })

  it('quotes what a shell would read, and tells times in words', () => {
    expect(shellWord(`it's`)).toBe(`'it'\\''s'`)
    expect(shellWord('recipient.phone=0912')).toBe('recipient.phone=0912')
    expect([duration(5_000), duration(125_000), duration(7_500_000), duration(90_000_000)]).toEqual([
      '5 s',
      '2 min',
      '2 h 5 min',
      '1 d 1 h',
    ])
  })

  it('says what to do about an error', () => {
    expect(explain(new OmnisagaError('Invalid', 'no such thing', { remedy: 'Choose another.' }))).toBe(
      'error: no such thing\n  Choose another.',
    )
    expect(explain(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toContain('omnisaga up')
  })
})
