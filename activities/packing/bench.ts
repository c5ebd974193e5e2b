/**
 * A box on the packing bench: what has been scanned of what belongs into it. Pure: a code goes in, the next state and what to tell the
 * packer come out. Every piece is scanned; a piece that does not belong stops the box until it is taken out again (UNDO).
 */
import { unfit, type Box, type Packed } from '../../domain/boxes.ts'
import { handlingWords, say, type Reply } from './words.ts'

export interface BenchLine {
  /** Orders that share a box have lines of the same name. */
  unitId: string
  orderNumber: string
  lineId: string
  sku: string
  name: string | null
  barcode: string | null
  shelf: string | null
  /** Pieces that belong into the box. */
  quantity: number
  scanned: number
  /** Broken: at DONE booked out and replaced from the shelf, or looked for elsewhere. */
  damaged: number
  /** Broken ones for which another was to be fetched. */
  replaced: number
  /** Not there. */
  short: number
}
export interface Medium {
  kind: 'photo' | 'video'
  /** Where it is kept: a URL or the number in the camera's system. */
  reference: string
  at: string
}
type Counts = [scanned: number, damaged: number, short: number][]
export interface Bench {
  lines: BenchLine[]
  box: string | null
  weightGrams: number | null
  media: Medium[]
  /** What the next item means. */
  mode: 'pack' | 'damaged' | 'short'
  /** The next item counts so many. */
  times: number
  /** The code that does not belong. */
  stopped: string | null
  history: { counts: Counts; box: string | null }[]
}
export interface BenchContext {
  boxes: readonly Box[]
  goods: readonly Packed[]
  suggested: Box | null
  /** Name of a product that is not in this box, by SKU or barcode; null: not a product of ours. */
  elsewhere: string | null
  now: string
}
export type Outcome = 'stays' | 'closes' | 'laidDown'

const HISTORY = 100
const MOST = 9_999

/** Scanners and Chinese input methods may send full-width characters. */
export const clean = (code: string): string => code.normalize('NFKC').trim()

const same = (a: string | null, b: string) => a !== null && a.toLowerCase() === b.toLowerCase()
const left = (line: BenchLine) => line.quantity - line.scanned - line.damaged - line.short
export const isComplete = (bench: Bench): boolean => bench.lines.every((line) => left(line) === 0)

export type LineToPack = Omit<BenchLine, 'scanned' | 'damaged' | 'replaced' | 'short'>
export const newBench = (lines: LineToPack[]): Bench => ({
  lines: lines.map((line) => ({ ...line, scanned: 0, damaged: 0, replaced: 0, short: 0 })),
  box: null,
  weightGrams: null,
  media: [],
  mode: 'pack',
  times: 1,
  stopped: null,
  history: [],
})

/** What the packer does next. */
export function next(bench: Bench, { suggested, goods }: Pick<BenchContext, 'suggested' | 'goods'>): { zh: string; en: string } {
  if (bench.stopped !== null)
    return { zh: `把「${bench.stopped}」拿出來，再掃 UNDO`, en: `Take ${bench.stopped} out, then scan UNDO` }
  if (bench.mode === 'damaged') return { zh: '掃描損壞的商品', en: 'Scan the damaged item' }
  if (bench.mode === 'short') return { zh: '掃描找不到的商品（或鍵入貨號）', en: 'Scan or type the item that is not there' }
  const wanted = bench.lines.filter((line) => left(line) > 0)
  if (wanted.length > 0) {
    // A box of several orders wants the same article more than once.
    const pieces = new Map<string, number>()
    for (const line of wanted) {
      const what = `${line.sku}\n${line.shelf ? ` (${line.shelf})` : ''}`
      pieces.set(what, (pieces.get(what) ?? 0) + left(line))
    }
    const rest = [...pieces].map(([what, count]) => what.replace('\n', ` × ${count}`)).join(', ')
    return { zh: `還要掃：${rest}`, en: `Still to scan: ${rest}` }
  }
  const handling = handlingWords({
    fragile: goods.some((each) => each.fragile),
    temperature: goods.find((each) => each.temperature !== 'ambient')?.temperature ?? 'ambient',
  })
  const box = bench.box ?? suggested?.name ?? null
  return {
    zh: [box ? `用箱 ${box}` : null, handling.zh || null, '封箱後掃 DONE'].filter(Boolean).join('，'),
    en: [box ? `use box ${box}` : null, handling.en || null, 'close it and scan DONE'].filter(Boolean).join(', '),
  }
}

const remembered = (bench: Bench): Bench['history'] =>
  [
    ...bench.history,
    { counts: bench.lines.map((line): Counts[number] => [line.scanned, line.damaged, line.short]), box: bench.box },
  ].slice(-HISTORY)

type Pressed = { bench: Bench; reply: Reply; outcome: Outcome }
const stays = (bench: Bench, reply: Reply): Pressed => ({ bench, reply, outcome: 'stays' })

export function press(bench: Bench, raw: string, context: BenchContext): Pressed {
  const code = clean(raw)
  const ours = bench.lines.filter((line) => same(line.barcode, code) || same(line.sku, code))
  const control = code.toUpperCase()
  if (bench.stopped !== null) {
    if (control === 'UNDO')
      return stays(
        { ...bench, stopped: null, times: 1, mode: 'pack' },
        say('ok', '已取出，繼續掃描', 'Taken out; go on scanning'),
      )
    if (control === 'LEAVE') return laidDown(bench)
    return stays(
      bench,
      say(
        'stop',
        `包裹已停止：先把「${bench.stopped}」拿出來，再掃 UNDO`,
        `Stopped: take ${bench.stopped} out first, then scan UNDO`,
      ),
    )
  }
  if (ours.length > 0) return item(bench, code, ours)
  switch (control) {
    case 'DONE':
      return done(bench, context)
    case 'UNDO':
      return undo(bench)
    case 'LEAVE':
      return laidDown(bench)
    case 'DAMAGED':
      return stays({ ...bench, mode: 'damaged' }, say('ok', '損壞：掃描壞掉的商品', 'Damaged: scan the broken item'))
    case 'SHORT':
      return stays({ ...bench, mode: 'short' }, say('ok', '缺貨：掃描或鍵入找不到的商品', 'Short: scan or type the missing item'))
  }
  const times = /^(?:[*x×]|QTY[: ]?)(\d{1,4})$/i.exec(code)?.[1]
  if (times !== undefined && Number(times) >= 1 && Number(times) <= MOST)
    return stays(
      { ...bench, times: Number(times) },
      say('ok', `下一項 × ${Number(times)}`, `The next item counts ${Number(times)}`),
    )
  const grams = /^W:(\d{1,6})$/i.exec(code)?.[1]
  if (grams !== undefined && Number(grams) > 0)
    return stays({ ...bench, weightGrams: Number(grams) }, say('ok', `重量 ${Number(grams)} 公克`, `Weight ${Number(grams)} g`))
  const medium = /^(PHOTO|VIDEO):(\S.{0,499})$/i.exec(code)
  if (medium) {
    const kind = medium[1]?.toLowerCase() === 'video' ? 'video' : 'photo'
    const media = [...bench.media, { kind, reference: medium[2] ?? '', at: context.now } as const]
    return stays({ ...bench, media }, say('ok', kind === 'video' ? '影片已記錄' : '照片已記錄', `The ${kind} is noted`))
  }
  const box = context.boxes.find((each) => same(each.id, code.replace(/^BOX:/i, '')))
  if (box) return takeBox(bench, box, context)
  const what = context.elsewhere === null ? code : `${context.elsewhere} (${code})`
  return stays(
    { ...bench, stopped: code, times: 1, mode: 'pack' },
    context.elsewhere === null
      ? say(
          'stop',
          `不認得「${code}」，不屬於這箱：拿出來，再掃 UNDO`,
          `${code} is not known and not part of this box: take it out, then scan UNDO`,
        )
      : say(
          'stop',
          `拿錯了：${what} 不屬於這箱。拿出來，再掃 UNDO`,
          `Wrong item: ${what} is not part of this box. Take it out, then scan UNDO`,
        ),
  )
}

function item(bench: Bench, code: string, ours: BenchLine[]): Pressed {
  const { mode, times } = bench
  const sku = ours[0]?.sku ?? code
  // A piece found broken may have been scanned already; one that is not there was not.
  const room = (line: BenchLine) => left(line) + (mode === 'damaged' ? line.scanned : 0)
  const most = ours.reduce((sum, line) => sum + room(line), 0)
  if (times > most) {
    const belongs = ours.reduce((sum, line) => sum + line.quantity, 0)
    if (mode !== 'pack')
      return stays(
        { ...bench, times: 1 },
        say('warn', `${sku} 這箱最多只剩 ${most} 件可記錄`, `Only ${most} of ${sku} are left to be told so`),
      )
    return stays(
      { ...bench, stopped: code, times: 1 },
      say(
        'stop',
        `多了：${sku} 這箱只要 ${belongs} 件。把多的 ${times - most} 件拿出來，再掃 UNDO`,
        `Too many: this box takes ${belongs} of ${sku}. Take the ${times - most} extra out, then scan UNDO`,
      ),
    )
  }
  let rest = times
  const take = (line: BenchLine): BenchLine => {
    if (!ours.includes(line)) return line
    const free = Math.min(rest, left(line))
    const scanned = mode === 'damaged' ? Math.min(rest - free, line.scanned) : 0
    rest -= free + scanned
    if (mode === 'pack') return { ...line, scanned: line.scanned + free }
    if (mode === 'short') return { ...line, short: line.short + free }
    return { ...line, damaged: line.damaged + free + scanned, scanned: line.scanned - scanned }
  }
  const lines = bench.lines.map(take)
  const now: Bench = { ...bench, lines, mode: 'pack', times: 1, history: remembered(bench) }
  const of = lines.filter((_, index) => ours.some((line) => bench.lines[index] === line))
  const count = of.reduce((sum, line) => sum + line.scanned, 0)
  const all = of.reduce((sum, line) => sum + line.quantity - line.damaged - line.short, 0)
  if (mode === 'damaged')
    return stays(
      now,
      say('ok', `${sku} × ${times} 損壞，不裝箱，補一件`, `${times} × ${sku} damaged: not packed, another is to come`),
    )
  if (mode === 'short')
    return stays(now, say('ok', `${sku} × ${times} 缺貨，另行補貨`, `${times} × ${sku} not there: looked for elsewhere`))
  return stays(now, say('ok', `${sku}　${count} / ${all}`, `${sku} ${count} of ${all}`))
}

function undo(bench: Bench): Pressed {
  if (bench.mode !== 'pack' || bench.times !== 1)
    return stays({ ...bench, mode: 'pack', times: 1 }, say('ok', '已取消', 'Taken back'))
  const before = bench.history.at(-1)
  if (before === undefined) return stays(bench, say('warn', '沒有可以取消的', 'There is nothing to take back'))
  const lines = bench.lines.map((line, index) => {
    const [scanned, damaged, short] = before.counts[index] ?? [0, 0, 0]
    return { ...line, scanned, damaged, short }
  })
  return stays(
    { ...bench, lines, box: before.box, history: bench.history.slice(0, -1) },
    say('ok', '已取消上一次掃描', 'The last scan is taken back'),
  )
}

const laidDown = (bench: Bench): Pressed => ({
  bench,
  reply: say('ok', '已放下，任何工作站都可以接手', 'Laid down; any station may take it up'),
  outcome: 'laidDown',
})

function takeBox(bench: Bench, box: Box, { goods }: BenchContext): Pressed {
  const why = unfit(box, goods)
  if (why === 'fragile')
    return stays(bench, say('warn', `易碎品不能用箱 ${box.name}`, `Fragile goods do not go into box ${box.name}`))
  if (why === 'chilled')
    return stays(bench, say('warn', `冷藏冷凍品不能用箱 ${box.name}`, `Chilled goods do not go into box ${box.name}`))
  // Whether it closes is seen by whoever packs.
  return stays({ ...bench, box: box.id, history: remembered(bench) }, say('ok', `用箱 ${box.name}`, `Box ${box.name}`))
}

function done(bench: Bench, context: BenchContext): Pressed {
  if (!isComplete(bench)) {
    const words = next({ ...bench, mode: 'pack' }, context)
    return stays({ ...bench, mode: 'pack', times: 1 }, say('warn', `還不能封箱。${words.zh}`, `Not yet. ${words.en}`))
  }
  const closed = { ...bench, mode: 'pack' as const, times: 1, box: bench.box ?? context.suggested?.id ?? null }
  if (bench.lines.every((line) => line.scanned === 0))
    return {
      bench: closed,
      reply: say('done', '這箱沒有可出的貨，已結束', 'Nothing of it can be packed; it is ended'),
      outcome: 'closes',
    }
  return { bench: closed, reply: say('done', '裝箱完成，等標籤列印', 'Packed; the label comes next'), outcome: 'closes' }
}

/** Who is no longer part of the box (cancelled meanwhile) has its pieces taken out; what was scanned of it stops the box until then. */
export function without(bench: Bench, isGone: (unitId: string) => boolean): { bench: Bench; reply: Reply } {
  const gone = bench.lines.filter(({ unitId }) => isGone(unitId))
  const orders = [...new Set(gone.map(({ orderNumber }) => orderNumber))].join(', ')
  const inside = gone.filter(({ scanned }) => scanned > 0).map(({ sku, scanned }) => `${sku} × ${scanned}`)
  const rest: Bench = { ...bench, lines: bench.lines.filter((line) => !gone.includes(line)), history: [], mode: 'pack', times: 1 }
  if (inside.length === 0)
    return {
      bench: rest,
      reply: say(
        'warn',
        `訂單 ${orders} 已取消，不在這箱了，請再掃一次`,
        `Order ${orders} was cancelled and is not in this box; scan again`,
      ),
    }
  const pieces = inside.join(', ')
  return {
    bench: { ...rest, stopped: pieces },
    reply: say(
      'stop',
      `訂單 ${orders} 已取消：把 ${pieces} 拿出來，再掃 UNDO`,
      `Order ${orders} was cancelled: take ${pieces} out, then scan UNDO`,
    ),
  }
}

/** Others of the shelf are held instead of the broken ones: they are scanned like any piece. @param replaced by place in `lines`. */
export function afterReplacing(bench: Bench, replaced: readonly number[]): { bench: Bench; reply: Reply } {
  const lines = bench.lines.map((line, index) => {
    const pieces = replaced[index] ?? 0
    return { ...line, damaged: line.damaged - pieces, replaced: line.replaced + pieces }
  })
  const fetch = bench.lines
    .map((line, index) => ({ ...line, pieces: replaced[index] ?? 0 }))
    .filter(({ pieces }) => pieces > 0)
    .map(({ sku, pieces, shelf }) => `${sku} × ${pieces}${shelf ? ` (${shelf})` : ''}`)
    .join(', ')
  return {
    // What is booked out is not taken back.
    bench: { ...bench, lines, history: [], mode: 'pack', times: 1 },
    reply: say(
      'warn',
      `壞的已報廢。再去拿 ${fetch}，掃描後裝進這箱`,
      `The broken ones are booked out. Fetch ${fetch}, and scan it into this box`,
    ),
  }
}
