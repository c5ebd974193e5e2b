/** Products: which articles are known here. */
import { OmnisagaError } from '../domain/errors.ts'
import type { Queryable } from './db.ts'

/** @returns those that are no product, each once, in the order in which they were asked for. */
export async function unknownProducts(db: Queryable, skus: readonly string[]): Promise<string[]> {
  const asked = [...new Set(skus)]
  const { rows } = await db.query<{ sku: string }>('select sku from products where sku = any($1)', [asked])
  return asked.filter((sku) => !rows.some((row) => row.sku === sku))
}

/** @throws Invalid that names what is no product. */
export async function refuseUnknownProducts(db: Queryable, skus: readonly string[]): Promise<void> {
  const unknown = await unknownProducts(db, skus)
  if (unknown.length === 0) return
  throw new OmnisagaError('Invalid', `${unknown.join(', ')} ${unknown.length === 1 ? 'is no product' : 'are no products'} here`, {
    code: 'sku',
    remedy: 'Correct it, or add the product by `omnisaga connections apply FILE`.',
  })
}
