import { describe, expect, it } from 'vitest'
import { isAlreadyShipped, shopeeError, untilDailyReset } from '../../connectors/shopee/errors.ts'

const now = new Date('2026-11-22T02:00:00Z')
const judge = (error: string, message = '', write = false) => shopeeError('/x', { error, message, requestId: null }, now, write)

describe('Shopee errors by what recovers them', () => {
  it.each([
    ['invalid_acceess_token', 'Invalid access_token, please have a check.', 'AuthExpired'],
    ['error_auth', 'Invalid access_token.', 'AuthExpired'],
    ['common.error_auth', 'Invalid access_token.', 'AuthExpired'],
    ['error_auth', 'System error, please try again later.', 'Transient'],
    ['error_auth', 'partner_id is invalid', 'Misconfigured'],
    ['error_auth', 'No permission to current api.', 'Misconfigured'],
    ['error_sign', 'Wrong sign.', 'Misconfigured'],
    ['invalid_partner_id', 'Invalid partner_id, please have a check.', 'Misconfigured'],
    ['error_partner_key_expired', 'Your API partner key has expired', 'Misconfigured'],
    ['source_ip_undeclared', 'Request Source IP (1.2.3.4) is undeclared.', 'Misconfigured'],
    ['shop_banned', 'The shop account has been banned.', 'Misconfigured'],
    ['partner_shop_no_link', 'Invalid partner_id or shop_id, please have a check.', 'Misconfigured'],
    ['error_shop', 'shopid is invalid', 'Misconfigured'],
    ['common.invalid_shop', 'Shop id is invalid. Please check your shop.', 'Misconfigured'],
    ['error_limit', 'The total API call number made by your APP has reached the daily API call limit', 'RateLimited'],
    ['error_rate_limit', 'Too many requests.', 'RateLimited'],
    ['error_param', 'Timestamp is expired.', 'Transient'],
    ['error_param', 'page_size is wrong', 'Invalid'],
    ['logistics.error_param', 'The order is being allocated, please wait until the allocate is completed.', 'Transient'],
    ['order.error_limit', 'Can not cancel this order', 'Rejected'],
    ['logistics.error_limit', 'Order status not support update logistics.', 'Rejected'],
    ['logistics.error_connection', 'Connection to external system is failed.', 'Transient'],
    ['error_other', 'System error. Please try again later.', 'Transient'],
    ['something_new', 'whatever', 'Rejected'],
  ])('%s (%s) is %s', (error, message, kind) => {
    expect(judge(error, message).kind).toBe(kind)
  })

  it('leaves the outcome of a write open when the system failed inside', () => {
    expect(judge('logistics.error_core_server', 'Fail to call core server.', true).kind).toBe('OutcomeUnknown')
    expect(judge('error_param', 'Slug not allow empty.', true).kind).toBe('Rejected')
  })

  it('waits for the daily quota until midnight in UTC+8', () => {
    expect(judge('error_limit').retryAfterMs).toBe(14 * 3_600_000) // 10:00 in Taipei
    expect(untilDailyReset(new Date('2026-11-22T15:59:59.999Z'))).toBe(1)
    expect(untilDailyReset(new Date('2026-11-22T16:00:00Z'))).toBe(86_400_000)
  })

  it('knows a package that was arranged before, with the space the vendor writes', () => {
    expect(isAlreadyShipped(judge(' logistics.package_already_shipped'))).toBe(true)
    expect(isAlreadyShipped(judge('logistics.error_limit'))).toBe(false)
    expect(isAlreadyShipped(new Error('logistics.package_already_shipped'))).toBe(false)
  })

  it("keeps the code and the request id for the vendor's support", () => {
    const error = shopeeError('/x', { error: 'order. error_param', message: 'm', requestId: 'req-1' }, now, false)
    expect(error.code).toBe('order.error_param')
    expect(error.message).toContain('req-1')
  })
})
