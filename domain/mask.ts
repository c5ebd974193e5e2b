/** Personal data as a page shows it that is copied and kept: enough to tell one from another, not enough to use. Pure. */
const HAN = /^\p{Script=Han}+$/u

/** `王小明` becomes `王○明`, `Anna Smith` `A*** S***`. */
export function maskName(name: string): string {
  if (!HAN.test(name)) return name.replace(/(\S)\S+/gu, '$1***')
  const [first = '', ...rest] = name
  return first + '○'.repeat(Math.max(1, rest.length - 1)) + (rest.length > 1 ? rest.at(-1) : '')
}

/** `+886912345678` becomes `+886912***678`. */
export const maskPhone = (phone: string): string => (phone.length < 8 ? '***' : `${phone.slice(0, -6)}***${phone.slice(-3)}`)

/** The road stays, its numbers go. */
export const maskAddress = (address: string): string => address.replace(/\p{Nd}/gu, '*')

export const maskEmail = (email: string): string => email.replace(/^(.)[^@]*/u, '$1***')
