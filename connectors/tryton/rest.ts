/**
 * Tryton's REST protocol (trytond 8.2.1, trytond/protocols/rest.py): GET searches and reads, POST creates or runs a button, PUT
 * writes. The only file of this folder that does I/O. Every request is one transaction. Amounts and days travel as
 * `{"__class__": ...}` objects (trytond/protocols/jsonrpc.py).
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { urlOf } from '../kit/call.ts'
import { jsonOf, readShape, refusalOf } from '../kit/json.ts'
import type { ConnectorContext, HttpRequest, HttpResponse } from '../kit/types.ts'
import type { TrytonConfig } from './config.ts'

export type Context = ConnectorContext<TrytonConfig>
/** `[field, operator, value]`; several of them must all hold. */
export type Domain = unknown[]
export interface Query {
  domain: Domain
  fields: string[]
  limit?: number
  order?: [string, 'ASC' | 'DESC'][]
  /** Added to the context of the request, e.g. the locations of a quantity. */
  context?: Record<string, unknown>
}

const encode = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')

export const decimal = (minor: number) => ({ __class__: 'Decimal', decimal: (minor / 100).toFixed(2) })
/** @param day `YYYY-MM-DD` */
export const dateOf = (day: string) => {
  const [year, month, date] = day.split('-').map(Number)
  return { __class__: 'date', year, month, day: date }
}

function request(
  config: TrytonConfig,
  method: HttpRequest['method'],
  path: string,
  more: {
    fields: string[]
    query?: Record<string, string | number | undefined>
    context?: object
    body?: Record<string, unknown>
  },
): HttpRequest {
  const url = new URL(urlOf(config.baseUrl, `/${encodeURIComponent(config.database)}/rest/model/${path}`, more.query))
  for (const field of more.fields) url.searchParams.append('f', field)
  const context = { company: config.companyId, ...(config.skipWarnings ? { _skip_warnings: true } : {}), ...more.context }
  return {
    method,
    url: url.href,
    headers: {
      authorization: `bearer ${config.applicationKey}`,
      'x-tryton-context': encode(context),
      // Refusals are in the language asked for; ours are English.
      'accept-language': 'en',
    },
    ...(method === 'GET' ? {} : { write: true, body: more.body ?? {} }),
  }
}

export const searchRequest = (
  config: TrytonConfig,
  model: string,
  { domain, fields, limit, order, context }: Query,
): HttpRequest =>
  request(config, 'GET', model, {
    fields,
    context,
    query: { d: encode(domain), s: limit, o: order && encode(order) },
  })
export const createRequest = (
  config: TrytonConfig,
  model: string,
  body: Record<string, unknown>,
  fields: string[],
): HttpRequest => request(config, 'POST', model, { fields, body })
export const writeRequest = (
  config: TrytonConfig,
  record: { model: string; id: number },
  body: Record<string, unknown>,
  fields: string[],
): HttpRequest => request(config, 'PUT', `${record.model}/${record.id}`, { fields, body })
export const actionRequest = (config: TrytonConfig, record: { model: string; id: number; action: string }, fields: string[]) =>
  request(config, 'POST', `${record.model}/${record.id}/${record.action}`, { fields })

const Refusal = z.object({ message: z.string() })
/** What Tryton quotes may be a customer's name: only names of buttons stay. */
const withoutNames = (message: string): string =>
  message.replace(/"[^"]*"?/g, (quoted) => (/^"[a-z_]+"$/.test(quoted) ? quoted : '…'))

/**
 * UserError and UserWarning are a 400 with a message, ConcurrencyException is 423, a right that the user lacks is an AccessError
 * (a 400 by its words, or a 403).
 */
export function parseAnswer(response: HttpResponse, what: string, write: boolean): unknown {
  const { status } = response
  if (status < 400) return response.body === '' ? null : jsonOf(response, { what, write })
  if (status === 423 || status === 409)
    return raise(new OmnisagaError('Transient', `${what}: somebody changed the record meanwhile`, { code: 'concurrency' }))
  if (status === 404)
    return raise(
      new OmnisagaError('Rejected', `${what}: no such database, model or record`, {
        code: 'not-found',
        remedy: 'Check baseUrl and database of the connection, and that the modules sale and stock are activated.',
      }),
    )
  let message = ''
  try {
    message = Refusal.parse(JSON.parse(response.body)).message
  } catch {
    // A page for people: its status says enough.
  }
  if (/not allowed/i.test(message))
    return raise(
      new OmnisagaError('Misconfigured', `${what}: ${withoutNames(message)}`, {
        code: 'access',
        remedy:
          'Give the user of the key the groups Sales Administrator, Stock, Stock Force Assignment and Party Administration.',
      }),
    )
  throw refusalOf(status, what, { code: status === 400 ? 'user-error' : undefined, message: withoutNames(message) })
}
const raise = (error: OmnisagaError): never => {
  throw error
}

async function call<T>(ctx: Context, made: HttpRequest, what: string, shape: z.ZodType<T>): Promise<T> {
  try {
    return readShape(shape, parseAnswer(await ctx.http.request(made), what, made.write === true), what)
  } catch (error) {
    if (error instanceof OmnisagaError && error.kind === 'AuthExpired')
      throw new OmnisagaError('Misconfigured', `${what}: Tryton does not know the user application key`, {
        code: 'key',
        remedy: 'Make a user application of kind REST in the preferences of the user, validate it, and apply its key.',
      })
    throw error
  }
}

/** The records of a search, each in this shape. */
export const search = <T>(ctx: Context, model: string, query: Query, shape: z.ZodType<T>): Promise<T[]> =>
  call(ctx, searchRequest(ctx.connection.config, model, query), `Tryton search ${model}`, z.array(shape))
export const create = <T>(ctx: Context, model: string, values: Record<string, unknown>, fields: string[], shape: z.ZodType<T>) =>
  call(ctx, createRequest(ctx.connection.config, model, values, fields), `Tryton create ${model}`, shape)
export const write = <T>(
  ctx: Context,
  record: { model: string; id: number },
  values: Record<string, unknown>,
  fields: string[],
  shape: z.ZodType<T>,
): Promise<T> => call(ctx, writeRequest(ctx.connection.config, record, values, fields), `Tryton write ${record.model}`, shape)

const Stateful = z.object({ id: z.number(), state: z.string() })
/**
 * Presses a button that changes the record's state. Pressed already (by an attempt whose answer was lost, by a person): Tryton
 * refuses, and the state that it has by now is returned.
 * @throws Rejected when Tryton refuses and the state is still `from`.
 */
export async function press(ctx: Context, record: { model: string; id: number; action: string; from: string }): Promise<string> {
  const what = `Tryton ${record.model} ${record.action}`
  try {
    return (await call(ctx, actionRequest(ctx.connection.config, record, ['state']), what, Stateful)).state
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Rejected') throw error
    const state = await stateOf(ctx, record)
    if (state === record.from) throw error
    return state
  }
}
export async function stateOf(ctx: Context, record: { model: string; id: number }): Promise<string> {
  const [found] = await search(ctx, record.model, { domain: [['id', '=', record.id]], fields: ['state'] }, Stateful)
  if (!found) throw new OmnisagaError('Transient', `Tryton: a record of ${record.model} is not there any more`, { code: 'gone' })
  return found.state
}

/** Page after page by id, so that records that come or go meanwhile move nothing. */
export async function* pages<T extends { id: number }>(ctx: Context, model: string, query: Query, shape: z.ZodType<T>) {
  const limit = ctx.connection.config.pageSize
  for (let after = 0; ;) {
    const domain = [query.domain, ['id', '>', after]]
    const found = await search(ctx, model, { ...query, domain, limit, order: [['id', 'ASC']] }, shape)
    if (found.length > 0) yield found
    if (found.length < limit) return
    after = found.at(-1)?.id ?? after
  }
}
