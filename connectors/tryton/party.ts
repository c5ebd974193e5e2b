/** Who bought and where it goes: found by phone or e-mail, else created together with how to reach them. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ErpParty, ErpSale } from '../kit/types.ts'
import { create, search, type Context } from './rest.ts'

const Id = z.object({ id: z.number() })
const first = async (ctx: Context, model: string, domain: unknown[]): Promise<number | null> =>
  (await search(ctx, model, { domain, fields: ['id'], limit: 1, order: [['id', 'ASC']] }, Id))[0]?.id ?? null

/** Contact mechanisms of a party; none for a masked one. */
export const contactsOf = ({ phone, email }: ErpParty): { type: string; value: string }[] => [
  ...(phone ? [{ type: 'mobile', value: phone }] : []),
  ...(email ? [{ type: 'email', value: email }] : []),
]

/** Values of party.address. The street is what the source gave; the district goes before it, Tryton has no field for it. */
export function addressOf(recipient: ErpParty, country: number | null): Record<string, unknown> {
  const { address } = recipient
  return {
    party_name: recipient.name,
    street_unstructured: [address?.district, address?.line].filter(Boolean).join('') || null,
    postal_code: address?.postalCode ?? null,
    city: address?.city ?? null,
    country,
  }
}

/**
 * The party that a sale is booked on. One whose phone or e-mail is known already is taken as it is; who is masked gets a party
 * of their own under the sale's reference, so that asking twice makes one.
 * @throws Misconfigured when the connection names a party that is not there.
 */
export async function partyOf(ctx: Context, sale: ErpSale): Promise<number> {
  const { customers } = ctx.connection.config
  const code = customers[sale.channel] ?? customers['*']
  if (code !== undefined) {
    const shared = await first(ctx, 'party.party', [['code', '=', code]])
    if (shared !== null) return shared
    throw new OmnisagaError('Misconfigured', `Tryton has no party with the code ${code}`, {
      code: 'no-party',
      remedy: 'Create the party, or correct customers of the connection.',
    })
  }
  const contacts = contactsOf(sale.buyer)
  const known =
    contacts.length > 0
      ? await first(ctx, 'party.party', [['contact_mechanisms.value', 'in', contacts.map(({ value }) => value)]])
      : await first(ctx, 'party.party', [['code', '=', sale.reference]])
  if (known !== null) return known
  const values = {
    name: sale.buyer.name ?? sale.recipient.name,
    ...(contacts.length > 0 ? { contact_mechanisms: [['create', contacts]] } : { code: sale.reference }),
  }
  return (await create(ctx, 'party.party', values, ['id'], Id)).id
}

/** The address of the recipient among those of the party; created when it is not there. */
export async function addressFor(ctx: Context, party: number, recipient: ErpParty): Promise<number> {
  const code = recipient.address?.country
  const country = code ? await first(ctx, 'country.country', [['code', '=', code]]) : null
  const values = addressOf(recipient, country)
  const known = await first(ctx, 'party.address', [
    ['party', '=', party],
    ...Object.entries(values).map(([field, value]) => [field, '=', value]),
  ])
  return known ?? (await create(ctx, 'party.address', { party, ...values }, ['id'], Id)).id
}
