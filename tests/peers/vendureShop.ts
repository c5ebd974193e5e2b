/** The customer's and the shop's own side of a running Vendure, past our connector. */
import type { RunningPeer } from './peer.ts'

export interface VendureOrder {
  id: string
  code: string
  state: string
  updatedAt: string
  payments: { id: string; state: string; amount: number; refunds: { id: string; total: number; reason: string | null }[] }[]
  fulfillments: { id: string; state: string; trackingCode: string | null; lines: { quantity: number }[] }[]
}
export interface VendureLevel {
  sku: string
  onHand: number
  allocated: number
}

export interface VendureShop {
  /** A customer buys; the payment is authorised, not yet settled. @returns the order's code */
  place(goods: Record<string, number>): Promise<string>
  /** The shop books the money in. */
  settle(code: string): Promise<void>
  order(code: string): Promise<VendureOrder>
  levels(): Promise<VendureLevel[]>
  /** A note that customers do not see: an edit that changes nothing for us. */
  addNote(code: string): Promise<void>
  fulfil(code: string): Promise<void>
}

export async function vendureShop({ url, connection }: RunningPeer): Promise<VendureShop> {
  async function call<T>(api: 'admin-api' | 'shop-api', query: string, variables: object, token: string | null) {
    const answer = await fetch(`${url}/${api}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
    })
    const body = (await answer.json()) as { data: T | null; errors?: { message: string }[] }
    if (!body.data || body.errors) throw new Error(`Vendure: ${body.errors?.[0]?.message ?? answer.status}: ${query}`)
    const failed = Object.values(body.data).find((part) => (part as { errorCode?: string } | null)?.errorCode)
    if (failed) throw new Error(`Vendure: ${JSON.stringify(failed)}: ${query}`)
    return { data: body.data, token: answer.headers.get('vendure-auth-token') }
  }
  const { username, password } = connection.config as { username: string; password: string }
  const login = 'mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }'
  const { token: adminToken } = await call('admin-api', login, { u: username, p: password }, null)
  const admin = async <T>(query: string, variables: object = {}) =>
    (await call<T>('admin-api', query, variables, adminToken)).data
  const FAILED = '__typename ... on ErrorResult { errorCode message }'
  type Variants = {
    productVariants: { items: { id: string; sku: string; stockLevels: { stockOnHand: number; stockAllocated: number }[] }[] }
  }
  const variants = async () =>
    (await admin<Variants>('{ productVariants { items { id sku stockLevels { stockOnHand stockAllocated } } } }')).productVariants
      .items

  const order = async (code: string): Promise<VendureOrder> => {
    const found = await admin<{ orders: { items: VendureOrder[] } }>(
      `query($c: String!) { orders(options: { filter: { code: { eq: $c } } }) { items { id code state updatedAt
        payments { id state amount refunds { id total reason } }
        fulfillments { id state trackingCode lines { quantity } } } } }`,
      { c: code },
    )
    if (!found.orders.items[0]) throw new Error(`Vendure has no order ${code}`)
    return found.orders.items[0]
  }
  return {
    order,
    async place(goods) {
      let session: string | null = null
      const shop = async <T>(query: string, variables: object = {}) => {
        const { data, token } = await call<T>('shop-api', query, variables, session)
        session ??= token
        return data
      }
      const ids = new Map((await variants()).map(({ sku, id }) => [sku, id]))
      for (const [sku, quantity] of Object.entries(goods))
        await shop(`mutation($i: ID!, $q: Int!) { addItemToOrder(productVariantId: $i, quantity: $q) { ${FAILED} } }`, {
          i: ids.get(sku),
          q: quantity,
        })
      await shop(`mutation { setCustomerForOrder(input: { firstName: "小明", lastName: "王", emailAddress: "wang@example.com",
        phoneNumber: "0912345678" }) { ${FAILED} } }`)
      await shop(`mutation { setOrderShippingAddress(input: { fullName: "王小明", streetLine1: "信義路五段7號", city: "台北市",
        province: "信義區", postalCode: "110", countryCode: "TW", phoneNumber: "0912345678" }) { ${FAILED} } }`)
      const { eligibleShippingMethods: methods } = await shop<{ eligibleShippingMethods: { id: string }[] }>(
        '{ eligibleShippingMethods { id } }',
      )
      await shop(`mutation($i: [ID!]!) { setOrderShippingMethod(shippingMethodId: $i) { ${FAILED} } }`, { i: [methods[0]?.id] })
      await shop(`mutation { transitionOrderToState(state: "ArrangingPayment") { ${FAILED} } }`)
      const paid = await shop<{ addPaymentToOrder: { code: string } }>(
        `mutation { addPaymentToOrder(input: { method: "card", metadata: {} }) { ${FAILED} ... on Order { code } } }`,
      )
      return paid.addPaymentToOrder.code
    },
    async settle(code) {
      for (const { id } of (await order(code)).payments)
        await admin(`mutation($i: ID!) { settlePayment(id: $i) { ${FAILED} } }`, { i: id })
    },
    async levels() {
      return (await variants()).map(({ sku, stockLevels: [level] }) => ({
        sku,
        onHand: level?.stockOnHand ?? 0,
        allocated: level?.stockAllocated ?? 0,
      }))
    },
    async addNote(code) {
      const { id } = await order(code)
      await admin('mutation($i: ID!) { addNoteToOrder(input: { id: $i, note: "seen", isPublic: false }) { id } }', { i: id })
    },
    async fulfil(code) {
      const { id } = await order(code)
      const { order: found } = await admin<{ order: { lines: { id: string; quantity: number }[] } }>(
        'query($i: ID!) { order(id: $i) { lines { id quantity } } }',
        { i: id },
      )
      const lines = found.lines.map((line) => ({ orderLineId: line.id, quantity: line.quantity }))
      await admin(
        `mutation($l: [OrderLineInput!]!) { addFulfillmentToOrder(input: { lines: $l, handler: { code: "manual-fulfillment",
          arguments: [{ name: "method", value: "by hand" }, { name: "trackingCode", value: "HAND-1" }] } }) { ${FAILED} } }`,
        { l: lines },
      )
    },
  }
}
