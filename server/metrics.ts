/** Prometheus text: counters of this process, gauges read from PostgreSQL when asked. */
import { CALL_BUCKETS_SECONDS, callMeter, type CallMeter } from '../connectors/kit/meter.ts'
import type { Queryable } from '../store/db.ts'

const BUCKETS_SECONDS = [0.005, 0.025, 0.1, 0.5, 2.5]

type Labels = Record<string, string>
const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
const labelText = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Calls to other systems that this process made. */
export function callLines(meter: CallMeter): string[] {
  const sample = (name: string, labels: Labels, value: number) => `${name}${labelText(labels)} ${value}`
  const seconds = 'omnisaga_connector_request_duration_seconds'
  const series = meter.series().map(({ connection, connector, outcome, ...rest }) => ({
    labels: { connection, connector, outcome },
    ...rest,
  }))
  return [
    '# HELP omnisaga_connector_requests_total Calls to other systems: ok, refused (4xx), or the kind of the error.',
    '# TYPE omnisaga_connector_requests_total counter',
    ...series.map(({ labels, count }) => sample('omnisaga_connector_requests_total', labels, count)),
    `# HELP ${seconds} How long calls to other systems took.`,
    `# TYPE ${seconds} histogram`,
    ...series.flatMap(({ labels, count, buckets, seconds: sum }) => [
      ...CALL_BUCKETS_SECONDS.map((le, at) => sample(`${seconds}_bucket`, { ...labels, le: String(le) }, buckets[at] ?? 0)),
      sample(`${seconds}_bucket`, { ...labels, le: '+Inf' }, count),
      sample(`${seconds}_sum`, labels, sum),
      sample(`${seconds}_count`, labels, count),
    ]),
  ]
}

export class Metrics {
  readonly #requests = new Map<string, { labels: Labels; count: number; seconds: number; buckets: number[] }>()
  readonly #webhooks = new Map<string, { labels: Labels; count: number }>()

  /** `route` is the pattern, never the path: ids would make a series each. */
  request(method: string, route: string, status: number, seconds: number): void {
    const key = `${method} ${route} ${status}`
    let entry = this.#requests.get(key)
    if (!entry) {
      entry = { labels: { method, route, status: String(status) }, count: 0, seconds: 0, buckets: BUCKETS_SECONDS.map(() => 0) }
      this.#requests.set(key, entry)
    }
    entry.count++
    entry.seconds += seconds
    BUCKETS_SECONDS.forEach((limit, index) => {
      if (seconds <= limit) entry.buckets[index]! += 1
    })
  }

  /** `outcome`: stored | forged | refused | busy. Only connections that exist are counted by name. */
  webhook(connection: string, outcome: string): void {
    const key = `${connection} ${outcome}`
    const entry = this.#webhooks.get(key) ?? { labels: { connection, outcome }, count: 0 }
    entry.count++
    this.#webhooks.set(key, entry)
  }

  async text(db: Queryable): Promise<string> {
    const lines: string[] = []
    const family = (name: string, type: string, help: string) => lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    const sample = (name: string, labels: Labels, value: number) => lines.push(`${name}${labelText(labels)} ${value}`)

    family('omnisaga_http_request_duration_seconds', 'histogram', 'HTTP requests by route and status.')
    for (const { labels, count, seconds, buckets } of this.#requests.values()) {
      BUCKETS_SECONDS.forEach((limit, index) => {
        sample('omnisaga_http_request_duration_seconds_bucket', { ...labels, le: String(limit) }, buckets[index] ?? 0)
      })
      sample('omnisaga_http_request_duration_seconds_bucket', { ...labels, le: '+Inf' }, count)
      sample('omnisaga_http_request_duration_seconds_sum', labels, seconds)
      sample('omnisaga_http_request_duration_seconds_count', labels, count)
    }
    family('omnisaga_webhooks_total', 'counter', 'Webhooks by connection and outcome; forged ones leave nothing else behind.')
    for (const { labels, count } of this.#webhooks.values()) sample('omnisaga_webhooks_total', labels, count)

    lines.push(...callLines(callMeter))

    for (const gauge of GAUGES) {
      family(gauge.name, 'gauge', gauge.help)
      const { rows } = await db.query<{ label: string | null; value: number }>(gauge.sql)
      for (const row of rows) sample(gauge.name, gauge.label && row.label !== null ? { [gauge.label]: row.label } : {}, row.value)
    }
    return `${lines.join('\n')}\n`
  }
}

/** Each reads an index made for it; orders by phase is one pass over a narrow index. */
const GAUGES: { name: string; help: string; label?: string; sql: string }[] = [
  {
    name: 'omnisaga_inbox_backlog',
    help: 'Raw records not mapped yet.',
    sql: `select null as label, count(*) as value from inbox where state = 'new'`,
  },
  {
    name: 'omnisaga_outbox_due',
    help: 'Facts owed to a participant and not acknowledged.',
    label: 'participant',
    sql: `select participant as label, count(*) as value from outbox where state = 'due' group by 1 order by 1`,
  },
  {
    name: 'omnisaga_outbox_dead',
    help: 'Facts that could not be delivered; each has a task.',
    sql: `select null as label, count(*) as value from outbox where state = 'dead'`,
  },
  {
    name: 'omnisaga_tasks_open',
    help: 'Tasks that wait for a person.',
    label: 'kind',
    sql: `select kind as label, count(*) as value from tasks where state = 'open' group by 1 order by 1`,
  },
  {
    name: 'omnisaga_orders',
    help: 'Orders by phase.',
    label: 'phase',
    sql: `select phase as label, count(*) as value from orders group by 1 order by 1`,
  },
]
