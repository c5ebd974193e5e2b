/** Omnisaga as the world sees it: its HTTP API and nothing else. */

export interface OrderRow {
  id: string
  externalId: string
  channel: string
  phase: string
}
export interface ParcelRow {
  id: string
  unitId: string
  courier: string
  service: string
  reference: string
  state: string
  waybill: string | null
  amountDueMinor: number
  labelAmountMinor: number | null
}
export interface OrderAnswer extends OrderRow {
  closed: boolean
  payment: { method: string; amountDueMinor: number }
  recipient: { address: { raw: string | null } | null }
  lines: { lineId: string; sku: string | null; quantity: number }[]
  parcels: ParcelRow[]
  owed: { participant: string; kind: string; state: string }[]
}
export interface TaskRow {
  id: number
  kind: string
  subject: string
  title: string
  remedy: string
  actions: string[]
  orderId: string | null
}
export interface ImportAnswer {
  id: string
  state: string
  error?: string | null
  result?: {
    rows: number
    new: number
    known: number
    changed: number
    filled: number
    failed: number
    heldOrders: string[]
    errors: { row: number; column: string; value: string; message: string }[]
  } | null
}
export interface Answer<T> {
  status: number
  body: T
}

export interface Outside {
  url: string
  get<T>(path: string): Promise<Answer<T>>
  post<T>(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer<T>>
  upload(file: Buffer, fields: { connection: string; fileName: string; password?: string }): Promise<Answer<ImportAnswer>>
  bytes(path: string): Promise<{ status: number; bytes: Buffer }>
  /** Every order, whatever the number of pages. */
  orders(): Promise<OrderRow[]>
  /** By our id or the channel's number; null when there is none. */
  order(id: string): Promise<OrderAnswer | null>
  openTasks(): Promise<TaskRow[]>
  stock(sku: string, location: string): Promise<{ onHand: number; held: number; available: number } | null>
}

export function outside(url: string, signal?: AbortSignal): Outside {
  const ask = async <T>(path: string, init: RequestInit = {}): Promise<Answer<T>> => {
    const answer = await fetch(`${url}${path}`, { ...init, ...(signal ? { signal } : {}) })
    const text = await answer.text()
    return { status: answer.status, body: (text === '' ? null : JSON.parse(text)) as T }
  }
  const good = async <T>(path: string): Promise<T> => {
    const { status, body } = await ask<T>(path)
    if (status >= 300) throw new Error(`GET ${path} answers ${status}: ${(body as { detail?: string } | null)?.detail ?? ''}`)
    return body
  }
  return {
    url,
    get: (path) => ask(path),
    post: (path, body, headers = {}) =>
      ask(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }),
    async upload(file, { connection, fileName, password }) {
      const form = new FormData()
      form.append('connection', connection)
      if (password !== undefined) form.append('password', password)
      form.append('file', new Blob([new Uint8Array(file)]), fileName)
      return await ask('/api/v1/imports', { method: 'POST', body: form })
    },
    async bytes(path) {
      const answer = await fetch(`${url}${path}`, signal ? { signal } : {})
      return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
    },
    async orders() {
      const all: OrderRow[] = []
      for (let cursor = ''; ;) {
        const page = await good<{ orders: OrderRow[]; next: string | null }>(`/api/v1/orders?limit=500${cursor}`)
        all.push(...page.orders)
        if (page.next === null) return all
        cursor = `&cursor=${encodeURIComponent(page.next)}`
      }
    },
    async order(id) {
      const { status, body } = await ask<OrderAnswer>(`/api/v1/orders/${encodeURIComponent(id)}`)
      return status === 200 ? body : null
    },
    openTasks: async () => (await good<{ tasks: TaskRow[] }>('/api/v1/tasks?limit=1000')).tasks,
    async stock(sku, location) {
      const { stock } = await good<{ stock: { onHand: number; held: number; available: number }[] }>(
        `/api/v1/stock?sku=${encodeURIComponent(sku)}&location=${location}`,
      )
      return stock[0] ?? null
    },
  }
}
