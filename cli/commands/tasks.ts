/** tasks, task ID, task ID ACTION */
import { userInfo } from 'node:os'
import type { Runtime } from '../../activities/runtime.ts'
import type { Preview } from '../../activities/order/preview.ts'
import { previewAction, takeAction } from '../../server/tasks.ts'
import { viewTask, viewTasks, type TaskDetail } from '../../server/taskView.ts'
import { getOrder } from '../../store/orders.ts'
import { getTask, type Task } from '../../store/tasks.ts'
import type { ExitCode } from '../exit.ts'
import {
  bold,
  complain,
  dim,
  green,
  localTime,
  print,
  printJson,
  red,
  safe,
  shellWord,
  since,
  table,
  yellow,
  type Column,
} from '../output/text.ts'
import { parseSet, setHint } from '../setFields.ts'
import { withRuntime } from '../session.ts'

export interface TasksOptions {
  kind?: string
  connection?: string
  order?: string
  olderThan?: number
  done?: boolean
  limit: number
  json?: boolean
}
export interface TaskOptions {
  set: string[]
  preview?: boolean
  json?: boolean
}

const WHAT: Column<Task>[] = [
  { title: 'TASK', of: (task) => task.id, right: true },
  { title: 'KIND', of: (task) => task.kind },
  { title: 'ABOUT', of: (task) => task.subject, most: 30 },
  { title: 'WHAT', of: (task) => task.title },
]
const OPEN: Column<Task>[] = [
  ...WHAT,
  { title: 'SINCE', of: (task) => localTime(task.openedAt) },
  { title: 'ACTIONS', of: (task) => task.actions.join(', ') },
]
const CLOSED: Column<Task>[] = [
  ...WHAT,
  { title: 'CLOSED', of: (task) => localTime(task.closedAt) },
  { title: 'BY', of: (task) => task.closedBy, most: 30 },
  { title: 'HOW', of: (task) => task.outcome },
]

export async function tasks({ kind, connection, order, olderThan, done, limit, json }: TasksOptions): Promise<ExitCode> {
  const filter = { kind, connection, orderId: order, olderThanHours: olderThan, limit }
  const found = await withRuntime(({ pool }) => viewTasks(pool, { state: done ? 'done' : 'open', ...filter }))
  if (json) printJson({ tasks: found })
  else if (found.length === 0) print(done ? 'No closed tasks.' : 'Nothing waits for a person.')
  else print(`${table(found, done ? CLOSED : OPEN)}\n${dim('omnisaga task ID shows one, and what can be done.')}`)
  return 0
}

export async function task(id: number, action: string | undefined, options: TaskOptions): Promise<ExitCode> {
  if (action === undefined) return await withRuntime((runtime) => show(runtime, id, options))
  const detail = parseSet(options.set)
  return await withRuntime((runtime) => act(runtime, id, action, detail, options))
}

async function show({ pool }: Runtime, id: number, { json }: TaskOptions): Promise<ExitCode> {
  const found = await viewTask(pool, id)
  if (!found) {
    complain(`${red('error:')} there is no task ${id}\n  omnisaga tasks lists them.`)
    return 1
  }
  if (json) printJson({ ...found, commands: found.state === 'open' ? found.actions.map((name) => commandLine(found, name)) : [] })
  else print(describe(found))
  return 0
}

const commandLine = (task: Task, action: string): string =>
  ['npx omnisaga task', task.id, action, ...setHint(task, action).flatMap((pair) => ['--set', shellWord(pair)])].join(' ')

function describe(task: TaskDetail): string {
  const field =
    task.field === null ? [] : [`  field    ${safe(task.field)}${task.value === null ? '' : ` = ${safe(task.value)}`}`]
  const order = task.orderId === null ? [] : [`  order    ${task.orderId}   ${dim(`omnisaga order ${task.orderId}`)}`]
  const waits =
    task.state === 'done' || (task.whoWaits === null && task.orderedAt === null)
      ? []
      : [
          `  waits    ${safe(task.whoWaits ?? 'the customer')}, ordered ${localTime(task.orderedAt)} (${since(task.orderedAt)} ago)`,
        ]
  const done = task.done.map(
    ({ at, who, verb, state, answer }) =>
      `  asked    ${localTime(at)} ${safe(who)}: ${verb}, ${state}${answer === null ? '' : ` (${safe(answer)})`}`,
  )
  const state =
    task.state === 'open'
      ? yellow(`open for ${since(task.openedAt)}`)
      : green(`closed ${localTime(task.closedAt)} by ${safe(task.closedBy)}: ${safe(task.outcome)}`)
  const can =
    task.state === 'open'
      ? [
          '',
          bold('What can be done now'),
          ...task.can.flatMap(({ action, does }) => [`  ${commandLine(task, action)}`, `      ${dim(safe(does))}`]),
          ...(task.can.length === 0 ? ['  nothing: the order would refuse it now; the task closes with it'] : []),
          dim('  --preview says what an action would change, and does nothing'),
        ]
      : []
  return [
    `${bold(`Task ${task.id}`)}  ${safe(task.title)}`,
    `  state    ${state}`,
    `  about    ${safe(task.subject)}`,
    ...order,
    ...waits,
    ...field,
    `  what     ${safe(task.detail)}`,
    `  remedy   ${safe(task.remedy)}`,
    ...done,
    ...can,
  ].join('\n')
}

const WORDS: Record<string, string> = {
  phase: 'phase',
  due: 'money',
  recipient: 'goes to',
  line: 'goods',
  hold: 'held',
  stock: 'on hand',
  unit: 'unit',
  parcel: 'parcel',
  taskCloses: 'closes',
  taskOpens: 'opens',
  told: 'tells',
}

function describePreview({ action, possible, answer, changes, later, asks }: Preview): string {
  if (!possible) return `${red('would be refused')}  ${safe(answer)}`
  const rowOf = ({ of, name, from, to }: Preview['changes'][number]) => {
    const what = of === 'taskCloses' || of === 'taskOpens' ? `task ${safe(name)}` : safe(name)
    const how =
      of === 'told' ? `: ${safe(to)}` : of.startsWith('task') ? '' : `  ${safe(from ?? 'none')} -> ${safe(to ?? 'none')}`
    return `  ${(WORDS[of] ?? of).padEnd(8)} ${what}${how}`
  }
  const rows = changes.map(rowOf)
  return [
    `${bold(`${action} would`)}: ${safe(answer)}`,
    ...(rows.length > 0 ? rows : ['  nothing else changes at once']),
    ...asks.map((ask) => `  asks     ${safe(ask)}`),
    ...(later.length > 0 ? ['Once its goods are back:', ...later.map(rowOf)] : []),
    dim('Nothing was done. The same command without --preview does it.'),
  ].join('\n')
}

/** The list of lines says every line that shall be; on the command line only those to be changed are named, the rest stay. */
async function withOtherLines(
  { pool }: Runtime,
  taskId: number,
  detail: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const { lines } = detail
  const orderId = Array.isArray(lines) ? (await getTask(pool, taskId))?.orderId : null
  const order = orderId ? await getOrder(pool, orderId) : null
  if (!Array.isArray(lines) || !order) return detail
  return { ...detail, lines: [...lines, ...order.lines.slice(lines.length).map(({ lineId }) => ({ lineId }))] }
}

async function act(
  runtime: Runtime,
  id: number,
  action: string,
  set: Record<string, unknown>,
  { json, preview }: TaskOptions,
): Promise<ExitCode> {
  const detail = await withOtherLines(runtime, id, set)
  if (preview) {
    const would = await previewAction(runtime, id, action, detail, `cli:${userInfo().username}`)
    if (json) printJson(would)
    else print(describePreview(would))
    return would.possible ? 0 : 1
  }
  const acted = await takeAction(runtime, id, action, detail, { who: `cli:${userInfo().username}` })
  if (json) printJson(acted)
  else if (acted.state === 'done') print(`${green('done')}  ${safe(acted.answer ?? action)}`)
  else if (acted.state === 'waiting')
    print(
      `${yellow('asked for')}  No answer within 3 seconds; it is kept and will be obeyed. omnisaga order ${acted.orderId ?? ''} shows it.`,
    )
  else complain(`${red('refused')}  ${safe(acted.answer)}`)
  return acted.state === 'refused' ? 1 : 0
}
