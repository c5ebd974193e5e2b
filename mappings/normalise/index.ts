/** What people and exporters write, made comparable: text, headers, phones, addresses, dates, quantities, masks. */
export { normaliseHeader, normaliseText } from './text.ts'
export { isMasked } from './masked.ts'
export { parsePhone, type Phone } from './phone.ts'
export { parseAddress, type AddressParts, type ParsedAddress } from './address.ts'
export { parseDate } from './date.ts'
export { parseQuantity } from './quantity.ts'
