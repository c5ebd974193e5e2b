/** Requests and answers of Odoo 19's JSON-2 API by its documents (developer/reference/external_api). */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { callRequest, many2one, optional, parseAnswer } from '../../connectors/odoo/api.ts'
import { OdooConfig } from '../../connectors/odoo/config.ts'
import { partnerOf } from '../../connectors/odoo/sale.ts'

const config = OdooConfig.parse({
  baseUrl: 'https://shop.odoo.com/',
  database: 'shop',
  apiKey: 'secret',
  warehouses: { main: 'WH' },
})
const answer = (status: number, name: string, message: string) => ({
  status,
  headers: {},
  body: JSON.stringify({ name, message, arguments: [message], context: {}, debug: 'Traceback' }),
})

describe('Odoo JSON-2', () => {
  it('posts named arguments to model and method, with key and database in headers', () => {
    expect(callRequest(config, 'sale.order', 'search_read', { domain: [], fields: ['name'] }, false)).toEqual({
      method: 'POST',
      url: 'https://shop.odoo.com/json/2/sale.order/search_read',
      headers: { authorization: 'bearer secret', 'x-odoo-database': 'shop' },
      body: { domain: [], fields: ['name'] },
      write: false,
    })
    expect(callRequest({ ...config, database: null }, 'a', 'b', {}, true).headers).toEqual({ authorization: 'bearer secret' })
  })

  it.each([
    [403, 'odoo.exceptions.AccessError', 'Misconfigured'],
    [422, 'odoo.exceptions.UserError', 'Rejected'],
    [404, 'odoo.exceptions.MissingError', 'Rejected'],
    [409, 'psycopg2.errors.SerializationFailure', 'Transient'],
  ])('%i %s is %s', (status, name, kind) => {
    expect(() => parseAnswer(answer(status, name, 'x'), 'Odoo', true)).toThrow(expect.objectContaining({ kind }) as Error)
  })

  it('keeps people out of messages', () => {
    const told = answer(422, 'odoo.exceptions.ValidationError', 'The contact "王小明" is archived: 王小明, 信義路')
    expect(() => parseAnswer(told, 'Odoo', true)).toThrow(/The contact … is archived$/)
  })

  it('reads false as empty, and a reference with or without its name', () => {
    expect(optional(z.string()).parse(false)).toBeNull()
    expect(many2one.parse([7, 'WH'])).toBe(7)
    expect(many2one.parse(7)).toBe(7)
  })

  it('writes a masked contact without inventing anything', () => {
    expect(partnerOf({ name: null, phone: null, email: null, address: null }, null)).toEqual({
      name: '—',
      phone: false,
      email: false,
      street: false,
      city: false,
      zip: false,
      country_id: false,
    })
  })
})
