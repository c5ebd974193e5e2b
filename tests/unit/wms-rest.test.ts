/** The REST profile: what we send is what the published description says, judged by a validator that is not ours. */
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { describe, expect, it, test } from 'vitest'
import {
  accountRequest,
  acknowledgeRequest,
  answersRequest,
  cancelRequest,
  labelRequest,
  mapAdvice,
  parseAnswers,
  waveRequest,
} from '../../connectors/wms-rest/api.ts'
import { profile } from '../../connectors/wms-rest/shapes.ts'
import type { Call } from '../../connectors/kit/call.ts'
import { aWave } from '../acceptance/samples.ts'

const account = { baseUrl: 'https://wms.example/v1/', apiKey: 'k' }
const published = JSON.parse(
  readFileSync(new URL('../../docs/connectors/wms-rest.openapi.json', import.meta.url), 'utf8'),
) as ReturnType<typeof profile>
interface Operation {
  requestBody?: { content: { 'application/json': { schema: Record<string, unknown> } } }
}

/** A server made of nothing but the published description. */
async function judge(call: Call): Promise<{ status: number; text: string }> {
  const server = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, strict: false } } })
  for (const [path, methods] of Object.entries(published.paths))
    for (const [method, operation] of Object.entries(methods as Record<string, Operation>)) {
      const { $schema: _schema, ...body } = operation.requestBody?.content['application/json'].schema ?? {}
      server.route({
        method: method.toUpperCase() as 'GET' | 'POST',
        url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
        schema: operation.requestBody ? { body } : {},
        handler: async () => 'taken',
      })
    }
  const answer = await server.inject({
    method: call.method,
    url: call.url.replace('https://wms.example/v1', ''),
    headers: call.headers,
    payload: call.body,
  })
  await server.close()
  return { status: answer.statusCode, text: answer.body }
}

test('the published description is the one of the code (node scripts/connectors-table.mjs writes it)', () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(profile())))
})

const masked = aWave().units.map((unit) => ({
  ...unit,
  notes: '',
  askedTime: null,
  recipient: { name: null, phone: null, postalCode: null, address: '' },
}))
const label = { unitId: 'u/1', waybill: '9001', courier: 'TCAT', amountDueMinor: 59_000, notes: '', key: 'l1' }

it.each([
  ['a wave', waveRequest(account, aWave())],
  ['a wave whose recipients are masked', waveRequest(account, aWave({ units: masked }))],
  ['a cancellation', cancelRequest(account, { unitId: 'u/1', reason: '', key: 'c1' })],
  ['a label', labelRequest(account, label)],
  ['what is done with', acknowledgeRequest(account, 'a9')],
  ['who is there', accountRequest(account)],
  ['answers', answersRequest(account, { after: 'a1', limit: 100 })],
])('%s is as published', async (_what, call) => {
  expect(await judge(call)).toEqual({ status: 200, text: 'taken' })
})

it('the validator refuses what is not as published', async () => {
  const call = waveRequest(account, aWave())
  expect(await judge({ ...call, body: { ...(call.body as object), orders: [] } })).toMatchObject({ status: 400 })
  expect(await judge({ ...labelRequest(account, { ...label, amountDueMinor: 1.5 }) })).toMatchObject({ status: 400 })
})

describe('requests', () => {
  it('carry the key that makes a repeat harmless, and the id of the unit in the path alone', () => {
    expect(labelRequest(account, label)).toMatchObject({
      url: 'https://wms.example/v1/units/u%2F1/label',
      what: 'warehouse POST /units/…/label',
      headers: { authorization: 'Bearer k', 'idempotency-key': 'l1' },
      body: { notes: null, amountDueMinor: 59_000 },
    })
  })
  it('refuse a wave with nothing in it', () => {
    expect(() => waveRequest(account, aWave({ units: [] }))).toThrow(expect.objectContaining({ kind: 'Invalid' }) as Error)
  })
})

describe('answers', () => {
  const answer = {
    id: 'a1',
    unitId: 'u1',
    status: 'packed',
    eventAt: '2026-11-22T10:15:00+08:00',
    lines: [{ lineId: '1', picked: 2 }],
  }

  it('become one record each, and the last id leads to the next page', () => {
    const page = parseAnswers({ answers: [answer, { ...answer, id: 'a2', status: 'unheard of' }], more: true })
    expect(page.items.map(({ externalId, eventAt }) => [externalId, eventAt])).toEqual([
      ['u1', '2026-11-22T10:15:00+08:00'],
      ['u1', '2026-11-22T10:15:00+08:00'],
    ])
    expect(page.next).toBe('a2')
    expect(parseAnswers({ answers: [], more: false })).toEqual({ items: [], ids: [], next: null })
  })
  it('map to an advice', () => {
    expect(mapAdvice({ payload: { ...answer, weightGrams: 800, more: 'of theirs' } })).toEqual({
      unitId: 'u1',
      status: 'packed',
      lines: [{ lineId: '1', picked: 2, short: 0 }],
      weightGrams: 800,
      eventAt: '2026-11-22T10:15:00+08:00',
      reason: null,
    })
  })
  it.each([
    ['status', { status: 'vanished' }, /status: must be picked/],
    ['eventAt', { eventAt: 'today' }, /eventAt: must be a time with offset/],
    ['lines', { lines: [] }, /how many of each line/],
    [
      'lines',
      {
        lines: [
          { lineId: '1', picked: 1 },
          { lineId: '1', picked: 1 },
        ],
      },
      /more than once/,
    ],
  ])('name the field that is wrong: %s', (code, over, message) => {
    expect(() => mapAdvice({ payload: { ...answer, ...over } })).toThrow(
      expect.objectContaining({ kind: 'Invalid', code, message: expect.stringMatching(message) as string }) as Error,
    )
  })
})
