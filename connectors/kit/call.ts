/** One call of a vendor that speaks JSON and says no by its HTTP status; and `check` made of such calls. */
import { OmnisagaError } from '../../domain/errors.ts'
import { jsonOf, refusalOf } from './json.ts'
import type { CheckResult, ConnectorContext, HttpRequest } from './types.ts'

/** A request, and how errors name it: the vendor and the call, e.g. `Acme POST /waves`. */
export type Call = HttpRequest & { what: string }

/** The vendor's code and words out of the body of a refusal; without personal data. */
export type Told = (json: unknown) => { code?: string; message?: string }

/**
 * @returns the answer's JSON, null for one without a body.
 * @throws OmnisagaError: what the HTTP client throws; for a 4xx what refusalOf says.
 */
export async function callJson(ctx: Pick<ConnectorContext, 'http'>, call: Call, told: Told = () => ({})): Promise<unknown> {
  const { what, ...request } = call
  const response = await ctx.http.request(request)
  if (response.status >= 400) {
    let json: unknown = null
    try {
      json = JSON.parse(response.body)
    } catch {
      // A page for people: its status says enough.
    }
    throw refusalOf(response.status, what, told(json))
  }
  return response.body === '' ? null : jsonOf(response, { what, write: request.write })
}

/** The address of a call below the connection's baseUrl; query values that are undefined are left out. */
export function urlOf(baseUrl: string, path: string, query: Record<string, string | number | undefined> = {}): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.append(name, String(value))
  const text = given.toString()
  return `${baseUrl.replace(/\/+$/, '')}${path}${text ? `?${text}` : ''}`
}

/** `check` by doing something harmless: what it fails with is told in its own words and with its remedy. */
export async function checkBy(work: () => Promise<unknown>, problems: CheckResult['problems'] = []): Promise<CheckResult> {
  const found = [...problems]
  try {
    await work()
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    found.push({ message: error.message, remedy: error.remedy ?? "Try again; if it stays, read the vendor's message." })
  }
  return { ok: found.length === 0, problems: found }
}
