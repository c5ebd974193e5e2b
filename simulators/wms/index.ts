/**
 * A warehouse behind two drop folders, for the demo and for tests. Takes orders, picks, packs, answers, and can be told to go wrong.
 * Written from to-warehouse.xsd and from-warehouse.xsd, not from the connector.
 */
import { appendFile, mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseXml, writeAdvices } from './format.ts'
import type { Advice } from './format.ts'
import { emptyWarehouse, receive, work } from './warehouse.ts'
import type { Rules, SimulatedUnit, WarehouseState } from './warehouse.ts'

export type { SimulatedState, SimulatedUnit } from './warehouse.ts'

export interface WmsSimulatorOptions {
  /** Where orders come in (the connector's outFolder). */
  inFolder: string
  /** Where answers go (the connector's inFolder). */
  outFolder: string
  /** SKUs on the shelves. @default every SKU */
  skus?: string[]
  /** How often it looks. @default 200 */
  pollMs?: number
  /** From one step of a unit to the next. @default 0: one step a look */
  stepMs?: number
  /** Reports shipped once a packed unit has its label. @default false */
  ships?: boolean
  /** Answers leave in any order, packed before picked too. @default false */
  shuffle?: boolean
  /** Keeps what it knows over a restart. @default not kept */
  stateFile?: string
  /** @default 300 g and 200 g a piece */
  weightGrams?: (unit: SimulatedUnit) => number
  now?: () => Date
}

export interface WmsSimulator {
  stop(): Promise<void>
  /** What the warehouse knows of each unit; copies. */
  units(): SimulatedUnit[]
  /** What a warehouse would phone about: unreadable files, orders with holes. */
  problems(): string[]
  /** Units that came more than once and were done once. */
  repeats(): number
  /** The next `quantity` pieces of a SKU (or of an order, by its number, id or unit) are not there. */
  short(selector: string, quantity: number): void
  /** The next answer file is broken XML. Unless `resend` is false the same advices follow in a good file. */
  damageNextFile(options?: { resend?: boolean }): void
  /** Half of the next answer file is written under its final name, the rest `completeAfterMs` later (0: never). @default 1000 */
  halfFile(options?: { completeAfterMs?: number }): void
  /** From now on so long from step to step. */
  slow(stepMs: number): void
  /** Every advice twice, the second in a later file. */
  duplicate(on: boolean): void
  shuffle(on: boolean): void
  /** Cancellations of this unit or order (none named: of all) are refused. */
  refuseCancel(options?: { selector?: string; reason?: string }): void
}

export async function startWmsSimulator(options: WmsSimulatorOptions): Promise<WmsSimulator> {
  const now = options.now ?? (() => new Date())
  const rules: Rules = {
    skus: options.skus === undefined ? null : new Set(options.skus),
    ships: options.ships ?? false,
    stepMs: options.stepMs ?? 0,
    weightGrams: options.weightGrams ?? ((unit) => 300 + 200 * unit.lines.reduce((pieces, line) => pieces + line.picked, 0)),
  }
  const faults = {
    damaged: [] as { resend: boolean }[],
    half: [] as { completeAfterMs: number }[],
    duplicate: false,
    shuffle: options.shuffle ?? false,
  }
  const state = await loadState(options.stateFile)
  /** Ends of half files and when they are due. */
  const rests: { path: string; text: string; dueMs: number }[] = []
  const processed = join(options.inFolder, 'processed')
  await mkdir(processed, { recursive: true })
  await mkdir(options.outFolder, { recursive: true })

  async function takeFiles(): Promise<void> {
    const names = (await readdir(options.inFolder)).filter((name) => name.endsWith('.xml') && !name.startsWith('.'))
    const files = await Promise.all(
      names.map(async (name) => ({ name, mtimeMs: (await stat(join(options.inFolder, name))).mtimeMs })),
    )
    // Of one moment the wave first, then labels and cancellations.
    for (const { name } of files.toSorted((a, b) => a.mtimeMs - b.mtimeMs || (a.name < b.name ? 1 : -1))) {
      const path = join(options.inFolder, name)
      const problem = take(await readFile(path, 'utf8'))
      if (problem !== null) state.problems.push(`${name}: ${problem}`)
      await saveState()
      await rename(path, join(processed, name))
    }
  }
  function take(xml: string): string | null {
    try {
      return receive(state, parseXml(xml), now())
    } catch (error) {
      return (error as Error).message
    }
  }

  async function sendAnswers(): Promise<void> {
    const due = state.outgoing.filter(({ ticks }) => ticks === 0)
    state.outgoing = state.outgoing
      .filter(({ ticks }) => ticks > 0)
      .map((outgoing) => ({ ...outgoing, ticks: outgoing.ticks - 1 }))
    if (due.length === 0) return
    const damaged = faults.damaged.shift()
    if (damaged?.resend === true) state.outgoing.push(...due.map((outgoing) => ({ ...outgoing, ticks: 1 })))
    else if (faults.duplicate)
      state.outgoing.push(...due.filter(({ copy }) => copy !== true).map(({ advice }) => ({ advice, ticks: 1, copy: true })))
    const advices = (faults.shuffle ? due.toSorted(() => Math.random() - 0.5) : due).map(({ advice }) => advice)
    state.fileSerial++
    await writeAnswer(`advice-${String(state.fileSerial).padStart(6, '0')}.xml`, advices, damaged !== undefined)
    await saveState()
  }
  async function writeAnswer(name: string, advices: Advice[], damaged: boolean): Promise<void> {
    const path = join(options.outFolder, name)
    const text = damaged ? writeAdvices(advices).replace('</UnitId>', '</UnitID>') : writeAdvices(advices)
    const half = damaged ? undefined : faults.half.shift()
    if (half !== undefined) {
      const middle = Math.floor(text.length / 2)
      await writeFile(path, text.slice(0, middle))
      const dueMs = half.completeAfterMs === 0 ? Number.POSITIVE_INFINITY : now().getTime() + half.completeAfterMs
      rests.push({ path, text: text.slice(middle), dueMs })
      return
    }
    const temporary = join(options.outFolder, `.${name}.tmp`)
    await writeFile(temporary, text)
    await rename(temporary, path)
  }
  async function completeHalves(all: boolean): Promise<void> {
    const due = rests.filter(({ dueMs }) => dueMs <= now().getTime() || (all && dueMs < Number.POSITIVE_INFINITY))
    for (const rest of due) {
      rests.splice(rests.indexOf(rest), 1)
      await appendFile(rest.path, rest.text)
    }
  }

  async function saveState(): Promise<void> {
    if (options.stateFile === undefined) return
    await writeFile(`${options.stateFile}.tmp`, JSON.stringify(state))
    await rename(`${options.stateFile}.tmp`, options.stateFile)
  }

  async function look(): Promise<void> {
    await completeHalves(false)
    await takeFiles()
    const before = state.outgoing.length
    work(state, rules, now())
    if (faults.shuffle) for (const outgoing of state.outgoing.slice(before)) outgoing.ticks = Math.floor(Math.random() * 3)
    await saveState() // before the file: a restart rather says something twice than not at all
    await sendAnswers()
  }

  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()
  const tick = (): void => {
    round = look()
      .catch((error: unknown) => {
        const problem = `warehouse: ${(error as Error).message}`
        if (state.problems.at(-1) !== problem) state.problems.push(problem)
      })
      .then(() => {
        if (!stopped) timer = setTimeout(tick, options.pollMs ?? 200)
      })
  }
  tick()

  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await round
      await completeHalves(true)
    },
    units: () => structuredClone(state.units),
    problems: () => [...state.problems],
    repeats: () => state.repeats,
    short: (selector, quantity) => void state.shorts.push({ selector, quantity }),
    damageNextFile: ({ resend = true } = {}) => void faults.damaged.push({ resend }),
    halfFile: ({ completeAfterMs = 1000 } = {}) => void faults.half.push({ completeAfterMs }),
    slow: (stepMs) => void (rules.stepMs = stepMs),
    duplicate: (on) => void (faults.duplicate = on),
    shuffle: (on) => void (faults.shuffle = on),
    refuseCancel: ({ selector, reason = 'the warehouse refuses' } = {}) =>
      void state.cancelRefusals.push({ selector: selector ?? null, reason }),
  }
}

async function loadState(file: string | undefined): Promise<WarehouseState> {
  if (file === undefined) return emptyWarehouse()
  try {
    return JSON.parse(await readFile(file, 'utf8')) as WarehouseState
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return emptyWarehouse()
    throw error
  }
}
