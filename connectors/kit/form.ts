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
  const fields: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of new URLSearchParams(body)) {
    if (name in fields)
      throw new OmnisagaError('Rejected', `form field ${name.slice(0, 40)} appears twice`, { code: 'repeated-field' })
    fields[name] = value
  }
  return { ...fields }
}
