/** Faults a simulator can be told to have; shared by every simulator. */

export type FaultKind =
  | 'refuse' // the vendor's own "no", in its own format; nothing is done
  | 'rateLimit' // 429 with Retry-After; nothing is done
  | 'serverError' // 500; nothing is done
  | 'hang' // never answers; nothing is done
  | 'lostAnswer' // does the work, then breaks the connection without an answer
  | 'silentSuccess' // does the work, never answers
  | 'late' // does the work, answers after `delayMs`
  | 'crashAfter' // does the work, answers 500
  | ReportFaultKind

/** Faults of what the simulator sends by itself (webhooks, status reports); asked for with method REPORT. */
export type ReportFaultKind =
  | 'twice' // the report is sent two times
  | 'heldBack' // the report comes after the one that follows it
  | 'forged' // before the report comes another that is signed with a wrong key
const REPORT_KINDS: ReadonlySet<FaultKind> = new Set<ReportFaultKind>(['twice', 'heldBack', 'forged'])

export interface Fault {
  kind: FaultKind
  /** Of `refuse`: the vendor's words. */
  message?: string
  /** Of `refuse`: the vendor's code, where it has one. */
  code?: string
  /** Of `rateLimit`: seconds, or a text that is sent as it is. */
  retryAfter?: number | string
  delayMs?: number
  /** The HTTP status of `serverError` and `crashAfter`. @default 500 */
  status?: number
}

export interface FaultRule extends Fault {
  /** A part of the path, e.g. `/Express/Create`; absent matches every path. */
  path?: string
  method?: string
  /** Regular expressions over request fields (query, form or top-level JSON), e.g. {MerchantTradeNo: '^OS1'}. */
  fields?: Record<string, string>
  /** The first matching request that gets it, counted from 1. @default 1 */
  nth?: number
  /** How many matching requests from there on. @default 1; 0 means all */
  times?: number
}
export interface FaultRequest {
  method: string
  path: string
  fields: Record<string, string>
}
export interface PlannedFault {
  id: number
  rule: FaultRule
  seen: number
  given: number
}

export interface FaultPlan {
  add(rule: FaultRule): number
  /** The fault of this request, or null; counts the request. The first rule that is due wins. */
  next(request: FaultRequest): Fault | null
  list(): PlannedFault[]
  clear(): void
}

const matches = (rule: FaultRule, request: FaultRequest) =>
  REPORT_KINDS.has(rule.kind) === (request.method === 'REPORT') &&
  (rule.path === undefined || request.path.includes(rule.path)) &&
  (rule.method === undefined || rule.method === request.method) &&
  Object.entries(rule.fields ?? {}).every(([name, pattern]) => new RegExp(pattern, 'u').test(request.fields[name] ?? ''))

export function createFaultPlan(): FaultPlan {
  let lastId = 0
  let planned: PlannedFault[] = []
  return {
    add(rule) {
      for (const pattern of Object.values(rule.fields ?? {})) new RegExp(pattern, 'u') // a wrong pattern is told to whoever plans it
      planned.push({ id: ++lastId, rule, seen: 0, given: 0 })
      return lastId
    },
    next(request) {
      let fault: Fault | null = null
      for (const entry of planned) {
        if (!matches(entry.rule, request)) continue
        entry.seen += 1
        const { nth = 1, times = 1 } = entry.rule
        if (fault || entry.seen < nth || (times > 0 && entry.given >= times)) continue
        entry.given += 1
        fault = entry.rule
      }
      return fault
    },
    list: () => planned.map((entry) => ({ ...entry })),
    clear: () => {
      planned = []
    },
  }
}
