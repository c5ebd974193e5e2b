/** order ID */
import { viewTasks } from '../../server/taskView.ts'
import type { OrderDetail } from '../../store/orders.ts'
import { getOrder } from '../../store/orders.ts'
import { resolveEnvironment } from '../environment.ts'
import type { ExitCode } from '../exit.ts'
import { phasePaint } from '../output/phase.ts'
import {
  amount,
  bold,
  complain,
  dim,
  localTime,
  print,
  printJson,
  red,
  safe,
  shellWord,
  since,
  table,
  yellow,
} from '../output/text.ts'
import { possibleNow, waitingOf, type CommandLine, type ParcelLine, type TaskLine, type UnitLine } from '../output/waiting.ts'
import { withRuntime } from '../session.ts'

export async function order(id: string, { json }: { json?: boolean }): Promise<ExitCode> {
  const found = await withRuntime(async ({ pool }) => {
    const known = await getOrder(pool, id)
    // With the actions that it would take now.
    return known && { ...known, tasks: await viewTasks(pool, { orderId: known.id, state: 'open' }) }
  })
  if (!found) {
    complain(`${red('error:')} there is no order ${id}\n  omnisaga orders lists them.`)
    return 1
  }
  if (json) printJson({ ...found, waits: waitingOf(found), possible: possibleNow(found).map(({ verb }) => verb) })
  else
    print(
      [
        ...header(found),
        ...whatNow(found),
        ...goods(found),
        ...ways(found),
        ...cameBack(found),
        ...whyFrom(found),
        ...whoKnows(found),
        ...history(found),
      ].join('\n'),
    )
  return 0
}

function header(order: OrderDetail): string[] {
  const { recipient, delivery, payment, totals } = order
  const { where, since: at } = waitingOf(order)
  const address = recipient.address?.raw ?? null
  const to =
    delivery.method === 'cvs'
      ? `${delivery.cvs?.chain ?? '-'} ${delivery.cvs?.storeId ?? '-'}`
      : delivery.method === 'home'
        ? address
        : delivery.location
  const wait = order.closed ? 'finished' : `waits ${where}`
  return [
    `${bold(order.externalId)}  ${phasePaint(order.phase)(order.phase)}  ${dim(`${order.id}, ${order.channel}, ${order.kind}`)}`,
    `  ${order.closed ? dim(wait) : bold(wait)}, since ${localTime(at)} (${since(at)})`,
    `  for      ${safe(recipient.name ?? (recipient.masked ? 'hidden by the channel' : null))}  ${safe(recipient.phone)}`,
    `  to       ${delivery.method}  ${safe(to)}`,
    `  pays     ${payment.method} ${payment.state}  total ${amount(totals.totalMinor, payment.currency)}, due ${amount(payment.amountDueMinor, payment.currency)}`,
    ...(order.notes === null ? [] : [`  notes    ${safe(order.notes)}`]),
    ...(delivery.askedTime ? [`  wish     ${safe(delivery.askedTime)}`] : []),
  ]
}

function cashOf(parcel: ParcelLine, currency: string): string {
  const due = `cash due ${amount(parcel.amountDueMinor, currency)}`
  if (parcel.collectedMinor === null) return dim(`${due}, not paid out yet`)
  const paid = `${due}, paid out ${amount(parcel.collectedMinor, currency)} on ${parcel.remittedOn} (fee ${amount(parcel.feeMinor ?? 0, currency)})`
  return parcel.collectedMinor === parcel.amountDueMinor ? paid : red(paid)
}

const curl = (url: string, body: string | undefined): string =>
  `curl -X POST ${shellWord(url)}${body === undefined ? '' : ` -H 'content-type: application/json' -d ${shellWord(body)}`}`

function whatNow(order: OrderDetail): string[] {
  const tasks = order.tasks as TaskLine[]
  const waiting = (order.commands as CommandLine[]).filter((command) => command.state === 'waiting')
  const verbs = possibleNow(order)
  const url = `http://127.0.0.1:${resolveEnvironment().httpPort}/api/v1/orders/${order.id}`
  const lines = [
    ...waiting.map((command) => `  ${yellow(`${command.verb} was asked for at ${localTime(command.at)} and is under way`)}`),
    ...tasks.flatMap((task) => [
      `  ${yellow(`task ${task.id}`)}  ${safe(task.title)}`,
      `           ${safe(task.remedy)}`,
      `           npx omnisaga task ${task.id}   ${dim(task.actions.join(', '))}`,
    ]),
    ...verbs.map(({ verb, note, body }) => `  ${verb.padEnd(10)}${note}\n           ${dim(curl(`${url}/${verb}`, body))}`),
  ]
  return lines.length === 0 ? [] : ['', bold('What can be done now'), ...lines]
}

function goods(order: OrderDetail): string[] {
  const counters = new Map(order.counters.map((each) => [each.lineId, each]))
  const rows = order.lines.map((line) => ({ ...line, count: counters.get(line.lineId) }))
  const columns = (['held', 'picked', 'packed', 'shipped', 'delivered', 'returned', 'cancelled'] as const)
    .filter((name) => name === 'held' || rows.some((row) => (row.count?.[name] ?? 0) > 0))
    .map((name) => ({ title: name.toUpperCase(), of: (row: (typeof rows)[number]) => row.count?.[name] ?? 0, right: true }))
  return [
    '',
    table(rows, [
      { title: 'LINE', of: (row) => row.lineId, most: 16 },
      { title: 'SKU', of: (row) => row.sku ?? row.externalSku },
      { title: 'NAME', of: (row) => row.name, most: 30 },
      { title: 'QTY', of: (row) => row.quantity, right: true },
      ...columns,
    ]),
  ]
}

function ways(order: OrderDetail): string[] {
  const units = order.units as UnitLine[]
  const parcels = order.parcels as ParcelLine[]
  return [
    ...(units.length === 0
      ? []
      : ['', bold('Units'), ...units.map((unit) => `  ${unit.id}  ${unit.location}  ${unit.state}${besides(unit)}`)]),
    ...parcels.flatMap((parcel) => [
      `  ${dim('parcel')} ${parcel.id}  ${parcel.courier} ${parcel.service}  ${parcel.state}  ${safe(parcel.waybill)}${parcel.ridesIn ? dim(`  in the box of ${safe(parcel.ridesIn)}`) : ''}${parcel.refusal ? `  ${red(safe(parcel.refusal))}` : ''}`,
      ...(parcel.insuredMinor === null ? [] : [dim(`           insured ${amount(parcel.insuredMinor, order.payment.currency)}`)]),
      ...(parcel.amountDueMinor > 0 ? [`           ${cashOf(parcel, order.payment.currency)}`] : []),
      ...parcel.events.map(
        (event) => `    ${localTime(event.at)}  ${event.meaning}  ${dim(`${safe(event.detail)} (${event.code})`)}`,
      ),
    ]),
  ]
}

/** Returns, and what the customer said. */
function cameBack({ returns, feedback }: OrderDetail): string[] {
  const lines = returns.map((row) => {
    const goods = row.lines.map((line) => `${line.received} of ${line.quantity} × ${line.sku}`).join(', ')
    const became = row.dispositions.map((each) => `${each.quantity} ${each.disposition}`).join(', ')
    return `  ${row.id}  ${row.state}  ${row.way}, ${safe(row.location)}: ${goods}${became === '' ? '' : ` (${became})`}  ${dim(`${safe(row.reason)}; npx omnisaga returns show ${row.id}`)}`
  })
  return [
    ...(lines.length === 0 ? [] : ['', bold('Returns'), ...lines]),
    ...(feedback === null
      ? []
      : ['', `${bold('The customer says')}  ${feedback.score} of 5  ${safe(feedback.text)}  ${dim(localTime(feedback.at))}`]),
  ]
}

const besides = ({ sharesBoxWith }: UnitLine): string =>
  sharesBoxWith?.length ? dim(`  in one box with order ${sharesBoxWith.map((number) => safe(number)).join(', ')}`) : ''

/** The last decision, in a sentence, with the rules that spoke. */
function whyFrom({ routing }: OrderDetail): string[] {
  const last = routing.at(-1)
  if (last === undefined) return []
  const { because, rules, candidates } = last.decision
  return [
    '',
    bold('Routing'),
    `  ${safe(because)}`,
    ...rules.map((rule) => `  ${dim('rule')} ${safe(rule.name)}: ${safe(rule.did)}`),
    ...candidates
      .filter((each) => each.leftOut !== null)
      .map((each) => `  ${dim(`not ${each.location}: ${safe(each.leftOut)}`)}`),
  ]
}

const PAINT = { owed: yellow, retrying: yellow, task: red, acknowledged: (text: string) => text, notNeeded: dim }

function whoKnows({ participants }: OrderDetail): string[] {
  if (participants.length === 0) return []
  return [
    '',
    bold('Who knows what'),
    table(participants, [
      { title: 'WHO', of: (row) => row.participant },
      { title: 'CONNECTION', of: (row) => row.connection, most: 20 },
      { title: 'FACT', of: (row) => row.fact },
      { title: 'TOLD', of: (row) => row.what },
      { title: 'STATE', of: (row) => row.state, paint: (text, row) => PAINT[row.state](text) },
      { title: 'SINCE', of: (row) => localTime(row.acknowledgedAt ?? row.toldAt ?? row.owedAt) },
      { title: 'NUMBER', of: (row) => row.document?.number ?? row.document?.id ?? null, most: 24 },
      { title: 'WHY', of: (row) => (row.state === 'acknowledged' ? null : row.reason), most: 50 },
    ]),
  ]
}

/** Facts and commands in the order in which they came. */
function history(order: OrderDetail): string[] {
  const facts = order.history.map((each) => ({
    at: each.at,
    text: `${each.withdrawn ? 'no longer ' : ''}${each.fact}`,
    more: detailOf(each.data),
  }))
  const commands = (order.commands as CommandLine[]).map((each) => ({
    at: each.at,
    text: `${each.verb}, by ${each.who}: ${each.state}`,
    more: each.answer ?? '',
  }))
  const all = [...facts, ...commands].sort((a, b) => a.at.localeCompare(b.at))
  return all.length === 0
    ? []
    : [
        '',
        bold('What happened'),
        ...all.map((each) => `  ${localTime(each.at)}  ${safe(each.text)}${each.more ? `  ${dim(safe(each.more))}` : ''}`),
      ]
}

const detailOf = (data: Record<string, unknown>): string =>
  Object.entries(data)
    .filter(([name]) => name !== 'at')
    .map(([name, value]) => `${name}=${safe(value)}`)
    .join(' ')
