/** What is wrong with a request is said in plain words: the place, the value, and what to send instead. */
import { expect, test } from 'vitest'
import type { z } from 'zod'
import { issuesOf } from '../../server/issues.ts'
import { OrderRequest, StockRequest, TasksQuery } from '../../server/schemas.ts'
import { ChangeRequest } from '../../server/verbs.ts'

const order = (over: Record<string, unknown> = {}) => ({
  connection: 'store-taipei',
  externalId: 'A-1',
  delivery: { method: 'home' },
  payment: { method: 'prepaid' },
  lines: [{ sku: 'TEE-S', quantity: 1 }],
  ...over,
})
const stock = { sku: 'TEE-S', location: 'taipei', onHand: 1, reason: 'count' }

test.each<[string, z.ZodType, unknown, { path: string; value: unknown; message: string; remedy: string }[]]>([
  [
    'a missing text',
    StockRequest,
    { ...stock, reason: undefined },
    [{ path: 'reason', value: null, message: 'is missing', remedy: 'Send a text.' }],
  ],
  [
    'a missing choice',
    OrderRequest,
    order({ delivery: {} }),
    [{ path: 'delivery.method', value: null, message: 'is missing', remedy: 'Send one of: home, cvs, storePickup, handOver.' }],
  ],
  [
    'a missing list',
    OrderRequest,
    order({ lines: undefined }),
    [{ path: 'lines', value: null, message: 'is missing', remedy: 'Send a list.' }],
  ],
  [
    'a missing part',
    OrderRequest,
    order({ payment: undefined }),
    [{ path: 'payment', value: null, message: 'is missing', remedy: 'Send an object.' }],
  ],
  [
    'an empty list',
    OrderRequest,
    order({ lines: [] }),
    [{ path: 'lines', value: 'list of 0', message: 'is empty', remedy: 'Send at least 1 entry.' }],
  ],
  [
    'an empty text',
    StockRequest,
    { ...stock, sku: '' },
    [{ path: 'sku', value: '', message: 'is empty', remedy: 'Send at least 1 character.' }],
  ],
  [
    'a text for a number',
    StockRequest,
    { ...stock, onHand: 'many' },
    [{ path: 'onHand', value: 'many', message: 'is not a number', remedy: 'Send a number.' }],
  ],
  [
    'half a piece',
    StockRequest,
    { ...stock, onHand: 1.5 },
    [{ path: 'onHand', value: 1.5, message: 'is not a whole number', remedy: 'Send a whole number.' }],
  ],
  [
    'less than nothing',
    StockRequest,
    { ...stock, onHand: -1 },
    [{ path: 'onHand', value: -1, message: 'is less than 0', remedy: 'Send at least 0.' }],
  ],
  [
    'no pieces',
    OrderRequest,
    order({ lines: [{ sku: 'A', quantity: 0 }] }),
    [{ path: 'lines[0].quantity', value: 0, message: 'is not more than 0', remedy: 'Send more than 0.' }],
  ],
  [
    'an unknown choice',
    TasksQuery,
    { state: 'closed' },
    [{ path: 'state', value: 'closed', message: 'is not one of open, done', remedy: 'Send one of: open, done.' }],
  ],
  [
    'an unknown field',
    StockRequest,
    { ...stock, colour: 'red' },
    [{ path: '', value: 'object', message: 'holds what is not known here: colour', remedy: 'Leave out colour.' }],
  ],
  [
    'no time',
    OrderRequest,
    order({ placedAt: 'yesterday' }),
    [
      {
        path: 'placedAt',
        value: 'yesterday',
        message: 'is not a time',
        remedy: 'Send ISO 8601 with an offset, e.g. 2026-03-01T10:00:00+08:00.',
      },
    ],
  ],
  [
    'no address',
    OrderRequest,
    order({ buyer: { email: 'x' } }),
    [{ path: 'buyer.email', value: 'x', message: 'is not an e-mail address', remedy: 'Send e.g. name@example.com.' }],
  ],
  [
    'nothing to change',
    ChangeRequest,
    {},
    [{ path: '', value: 'object', message: 'names nothing to change', remedy: 'Send at least one field.' }],
  ],
  [
    'a wrong part of one of several shapes',
    ChangeRequest,
    { recipient: { address: { city: 5 } } },
    [{ path: 'recipient.address.city', value: 5, message: 'is not a text', remedy: 'Send a text.' }],
  ],
])('%s', (_what, schema, input, told) => {
  const parsed = schema.safeParse(input)
  expect(parsed.success).toBe(false)
  expect(issuesOf(parsed.error as z.ZodError, input)).toEqual(told)
})
