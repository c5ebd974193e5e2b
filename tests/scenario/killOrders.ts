/** Fifty orders of every common kind, and by hand what they take from the shelves and what their labels collect. */
export interface KillOrder {
  externalId: string
  cod: boolean
  lines: { sku: string; quantity: number; unitPriceMinor: number }[]
  body: Record<string, unknown>
}

export const STOCK: Record<string, number> = { 'TEE-S': 200, 'TEE-M': 200, CAP: 200, MUG: 200 }
/** Whose booking's answer is lost. */
export const LOST_ANSWER_NAME = '王失聯'

const SINGLE = ['TEE-S', 'TEE-M', 'CAP', 'MUG']

function linesOf(index: number): KillOrder['lines'] {
  if (index % 10 === 7) {
    return [
      { sku: 'TEE-S', quantity: 2, unitPriceMinor: 59_000 },
      { sku: 'MUG', quantity: 1, unitPriceMinor: 30_000 },
      { sku: 'CAP', quantity: 1, unitPriceMinor: 45_000 },
    ]
  }
  return [{ sku: SINGLE[index % 4] ?? 'MUG', quantity: 1 + (index % 3), unitPriceMinor: 59_000 }]
}

function orderOf(index: number): KillOrder {
  const externalId = `K-${String(index).padStart(4, '0')}`
  const cvs = index % 10 === 5 || index % 10 === 8
  const cod = index % 10 === 3 || index % 10 === 5
  const lines = linesOf(index)
  const name = index === 0 ? LOST_ANSWER_NAME : '陳測試'
  const person = { name, phone: '0912345678' }
  return {
    externalId,
    cod,
    lines,
    body: {
      connection: 'store-taipei',
      externalId,
      kind: 'store',
      placedAt: '2026-11-22T10:00:00+08:00',
      buyer: person,
      recipient: cvs ? person : { ...person, address: { raw: '台北市信義區市府路45號' } },
      delivery: cvs ? { method: 'cvs', cvs: { chain: 'UNIMART', storeId: '131386' } } : { method: 'home' },
      payment: cod ? { method: 'cod' } : { method: 'prepaid', state: 'paid' },
      lines,
    },
  }
}

export const ORDERS: KillOrder[] = Array.from({ length: 50 }, (_, index) => orderOf(index))

export const valueMinor = (order: KillOrder): number =>
  order.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceMinor, 0)

/** What is left on the shelves when every order has left. */
export function leftOnHand(): Record<string, number> {
  const left = { ...STOCK }
  for (const { sku, quantity } of ORDERS.flatMap((order) => order.lines)) left[sku] = (left[sku] ?? 0) - quantity
  return left
}
