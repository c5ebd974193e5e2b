import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { publicSign, pushSign, sameSignature, shopSign } from '../../connectors/shopee/sign.ts'

// Expected values made with generateSignature of @congminh1254/shopee-sdk 2.7.0.
const signer = { partnerId: 1, partnerKey: 'a1b2c3partnerkey' }

describe('Shopee signatures', () => {
  it('signs a shop call like the public SDK', () => {
    expect(shopSign(signer, '/api/v2/order/get_order_list', 1610000000, 'c09222e3fc40ffb25fc947f738b1abf1', 600000)).toBe(
      'bb7c8d3d93663af2b835b07c5c0994a48eaac601b25eb094a63d165347e72d0b',
    )
  })

  it('signs a public call like the public SDK', () => {
    expect(publicSign({ ...signer, partnerId: 2001887 }, '/api/v2/auth/access_token/get', 1655714431)).toBe(
      '533df7bb7129406ecb7464b09778e7eda713e1043880476c284be50456f05bb0',
    )
  })

  it('signs keys and tokens beyond ASCII as UTF-8, and the largest ids', () => {
    expect(
      shopSign(
        { partnerId: 4294967295, partnerKey: '鍵🔑' },
        '/api/v2/logistics/ship_order',
        1607235072,
        '中文 token',
        4294967295,
      ),
    ).toBe('cd40aaaabb7164c0bb01e242859ba781551ddec90b452d6c12ed41f9ec13342d')
  })

  it('signs a push over the address, a bar and the raw bytes', () => {
    const body = Buffer.from('{"shop_id":1,"name":"測試"}', 'utf8')
    expect(pushSign('key', 'https://a.example/x', body)).toBe(
      createHmac('sha256', 'key')
        .update(Buffer.concat([Buffer.from('https://a.example/x|'), body]))
        .digest('hex'),
    )
  })

  it('compares without regard to case, and refuses every other difference', () => {
    expect(sameSignature('ABCDEF', 'abcdef')).toBe(true)
    expect(sameSignature('abcdee', 'abcdef')).toBe(false)
    expect(sameSignature('', 'abcdef')).toBe(false)
    expect(sameSignature('abcdef0', 'abcdef')).toBe(false)
  })
})
