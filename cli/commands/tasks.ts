/** tasks, task ID, task ID ACTION */
import { userInfo } from 'node:os'
import type { Runtime } from '../../activities/runtime.ts'
import { takeAction } from '../../server/tasks.ts'
import { getOrder } from '../../store/orders.ts'
import { getTask, listTasks, type Task } from '../../store/tasks.ts'
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
  done?: boolean
  limit: number
  json?: boolean
}
export interface TaskOptions {
  set: string[]
  json?: boolean
}

const COLUMNS: Column<Task>[] = [
  { title: 'TASK', of: (task) => task.id, right: true },
  { title: 'KIND', of: (task) => task.kind },
  { title: 'ABOUT', of: (task) => task.subject, most: 30 },
  { title: 'WHAT', of: (task) => task.title },
  { title: 'SINCE', of: (task) => localTime(task.openedAt) },
  { title: 'ACTIONS', of: (task) => task.actions.join(', ') },
]

export async function tasks({ kind, done, limit, json }: TasksOptions): Promise<ExitCode> {
  const found = await withRuntime(({ pool }) => listTasks(pool, { state: done ? 'done' : 'open', ...(kind && { kind }), limit }))
  if (json) printJson({ tasks: found })
  else if (found.length === 0) print(done ? 'No closed tasks.' : 'Nothing waits for a person.')
  else print(`${table(found, COLUMNS)}\n${dim('omnisaga task ID shows one, and what can be done.')}`)
  return 0
}

export async function task(id: number, action: string | undefined, options: TaskOptions): Promise<ExitCode> {
  if (action === undefined) return await withRuntime((runtime) => show(runtime, id, options))
  const detail = parseSet(options.set)
  return await withRuntime((runtime) => act(runtime, id, action, detail, options))
}

async function show({ pool }: Runtime, id: number, { json }: TaskOptions): Promise<ExitCode> {
  const found = await getTask(pool, id)
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

function describe(task: Task): string {
  const field =
    task.field === null ? [] : [`  field    ${safe(task.field)}${task.value === null ? '' : ` = ${safe(task.value)}`}`]
  const order = task.orderId === null ? [] : [`  order    ${task.orderId}   ${dim(`omnisaga order ${task.orderId}`)}`]
  const state =
    task.state === 'open'
      ? yellow(`open for ${since(task.openedAt)}`)
      : green(`closed ${localTime(task.closedAt)} by ${safe(task.closedBy)}: ${safe(task.outcome)}`)
  const can =
    task.state === 'open'
      ? ['', bold('What can be done now'), ...task.actions.map((action) => `  ${commandLine(task, action)}`)]
      : []
  return [
    `${bold(`Task ${task.id}`)}  ${safe(task.title)}`,
    `  state    ${state}`,
    `  about    ${safe(task.subject)}`,
    ...order,
    ...field,
    `  what     ${safe(task.detail)}`,
    `  remedy   ${safe(task.remedy)}`,
    ...can,
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
  { json }: TaskOptions,
): Promise<ExitCode> {
  const detail = await withOtherLines(runtime, id, set)
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
