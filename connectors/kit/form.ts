/** `application/x-www-form-urlencoded`, UTF-8. */
import { OmnisagaError } from '../../domain/errors.ts'

export const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Fields that are undefined are left out; empty ones are sent empty. */
export function encodeForm(fields: Record<string, string | undefined>): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.append(name, value)
  return form.toString()
}

/**
 * A repeated field is refused: two readers of such a body could each believe another value.
 * @throws OmnisagaError Rejected, code `repeated-field`
 */
export function parseForm(body: string): Record<string, string> {
  const pairs = [...new URLSearchParams(body)]
  const fields = Object.fromEntries(pairs)
  if (Object.keys(fields).length < pairs.length) {
    const seen = new Set<string>()
    const [twice = ''] = pairs.find(([name]) => seen.size === seen.add(name).size) ?? []
    throw new OmnisagaError('Rejected', `form field ${twice.slice(0, 40)} appears twice`, { code: 'repeated-field' })
  }
  return fields
}
