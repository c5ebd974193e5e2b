/** What every call to another system leaves behind: counts for /metrics and one line of trace. No query values, bodies or people. */

/** Where it ended: `ok` (2xx, 3xx), `refused` (a 4xx that the connector judges) or the kind of the error. */
export interface ObservedCall {
  connection: string
  connector: string
  method: string
  /** Origin and path, see safePath. */
  path: string
  /** Null when no answer came. */
  status: number | null
  outcome: string
  seconds: number
  /** Of this one request, so that its trace and its error can be found by each other. */
  attempt: string
}

export interface TraceLog {
  debug?(fields: Record<string, unknown>, message: string): void
}

export const CALL_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export interface CallSeries {
  connection: string
  connector: string
  outcome: string
  count: number
  seconds: number
  /** Calls that took no longer than each of CALL_BUCKETS_SECONDS. */
  buckets: number[]
}

export class CallMeter {
  readonly #series = new Map<string, CallSeries>()

  add({ connection, connector, outcome, seconds }: ObservedCall): void {
    const key = JSON.stringify([connection, connector, outcome])
    let entry = this.#series.get(key)
    if (!entry) {
      entry = { connection, connector, outcome, count: 0, seconds: 0, buckets: CALL_BUCKETS_SECONDS.map(() => 0) }
      this.#series.set(key, entry)
    }
    entry.count += 1
    entry.seconds += seconds
    for (const [index, limit] of CALL_BUCKETS_SECONDS.entries()) if (seconds <= limit) entry.buckets[index]! += 1
  }

  series(): CallSeries[] {
    return [...this.#series.values()]
  }
}

/** Of this process: every connection of it counts here. */
export const callMeter = new CallMeter()

const PHONE = /^(\+?886|0)\d{8,9}$/
const HIDDEN = '…'

/** A segment of a path is an id or a word of the vendor's; what may be a name, a phone, an e-mail address or a token is hidden. */
function safeSegment(segment: string): string {
  let text: string
  try {
    text = decodeURIComponent(segment)
  } catch {
    return HIDDEN
  }
  return /^[\w.:~!$&'()*+,;=-]{0,64}$/.test(text) && !PHONE.test(text) ? segment : HIDDEN
}

export const safePath = (pathname: string): string => pathname.split('/').map(safeSegment).join('/')

/** Counts a call and writes its trace, at debug. */
export const observer =
  (log: TraceLog | undefined, meter: CallMeter = callMeter) =>
  (call: ObservedCall): void => {
    meter.add(call)
    const { seconds, ...fields } = call
    log?.debug?.({ ...fields, ms: Math.round(seconds * 1000) }, 'call')
  }
