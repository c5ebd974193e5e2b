/**
 * Odoo's JSON-2 API (odoo/documentation 19.0, developer/reference/external_api): POST /json/2/MODEL/METHOD with named arguments, one
 * SQL transaction a call. The only file of this folder that does I/O.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { urlOf } from '../kit/call.ts'
import { jsonOf, readShape, refusalOf } from '../kit/json.ts'
import type { ConnectorContext, HttpRequest, HttpResponse } from '../kit/types.ts'
import type { OdooConfig } from './config.ts'

export type Context = ConnectorContext<OdooConfig>
export type Arguments = Record<string, unknown>

export function callRequest(config: OdooConfig, model: string, method: string, args: Arguments, write: boolean): HttpRequest {
  return {
    method: 'POST',
    url: urlOf(config.baseUrl, `/json/2/${model}/${method}`),
    headers: {
      authorization: `bearer ${config.apiKey}`,
      ...(config.database === null ? {} : { 'x-odoo-database': config.database }),
    },
    body: args,
    write,
  }
}

const Refusal = z.object({ name: z.string(), message: z.string() })
/** Messages quote records, and those may be people: what stands in quotes or after a colon is left out. */
const withoutNames = (message: string) => (message.split('\n')[0] ?? '').replace(/(["'“«]).*?(["'”»])/g, '…').replace(/:.*$/, '')

/** Errors are JSON {name, message, arguments, context, debug}; `name` is the exception's class. */
export function parseAnswer(response: HttpResponse, what: string, write: boolean): unknown {
  if (response.status < 400) return jsonOf(response, { what, write })
  let refusal: z.infer<typeof Refusal> = { name: '', message: '' }
  try {
    refusal = Refusal.parse(JSON.parse(response.body))
  } catch {
    // A page of the host: its status says enough.
  }
  const { name, message } = refusal
  if (/AccessDenied|AccessError/.test(name) || response.status === 403)
    throw new OmnisagaError('Misconfigured', `${what} is not allowed`, {
      code: name || 'access',
      remedy: 'Give the user of the key the rights for sales and inventory.',
    })
  if (/SerializationFailure|LockNotAvailable|ConcurrencyError/.test(name))
    throw new OmnisagaError('Transient', `${what}: somebody changed the record meanwhile`, { code: name })
  throw refusalOf(response.status, what, { code: name || undefined, message: withoutNames(message) })
}

async function call<T>(
  ctx: Context,
  model: string,
  method: string,
  args: Arguments,
  shape: z.ZodType<T>,
  write: boolean,
): Promise<T> {
  const what = `Odoo ${model}.${method}`
  try {
    const response = await ctx.http.request(callRequest(ctx.connection.config, model, method, args, write))
    return readShape(shape, parseAnswer(response, what, write), what)
  } catch (error) {
    if (error instanceof OmnisagaError && error.kind === 'AuthExpired')
      throw new OmnisagaError('Misconfigured', `${what}: Odoo does not know the API key`, {
        code: 'key',
        remedy: 'Make an API key in the preferences of the account, and apply it.',
      })
    throw error
  }
}

export interface Query {
  domain: unknown[]
  fields: string[]
  limit?: number
  order?: string
}
export const search = <T>(ctx: Context, model: string, query: Query, shape: z.ZodType<T>): Promise<T[]> =>
  call(ctx, model, 'search_read', { ...query }, z.array(shape), false)
/** @returns the id of the one record that is made */
export async function create(ctx: Context, model: string, values: Arguments): Promise<number> {
  const made = await call(ctx, model, 'create', { vals_list: [values] }, z.union([z.number(), z.array(z.number()).min(1)]), true)
  return Array.isArray(made) ? (made[0] ?? 0) : made
}
/** A method on records; what it answers (true, an action for a screen) says nothing of its success. */
export const run = (
  ctx: Context,
  record: { model: string; ids: number[]; method: string },
  args: Arguments = {},
): Promise<unknown> => call(ctx, record.model, record.method, { ids: record.ids, ...args }, z.unknown(), true)

export async function* pages<T extends { id: number }>(ctx: Context, model: string, query: Query, shape: z.ZodType<T>) {
  const limit = ctx.connection.config.pageSize
  for (let after = 0; ;) {
    const domain = [...query.domain, ['id', '>', after]]
    const found = await search(ctx, model, { ...query, domain, limit, order: 'id asc' }, shape)
    if (found.length > 0) yield found
    if (found.length < limit) return
    after = found.at(-1)?.id ?? after
  }
}

/** Odoo says false for an empty field. */
export const optional = <T>(shape: z.ZodType<T>) =>
  z.union([shape, z.literal(false), z.null()]).transform((value) => (value === false ? null : (value as T | null)))
/** `[id, display name]`, or the id alone. */
export const many2one = z
  .union([z.number(), z.tuple([z.number(), z.unknown()])])
  .transform((value) => (Array.isArray(value) ? value[0] : value))
