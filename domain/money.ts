/** Money is whole minor units with its ISO 4217 currency. */

/** NT$ is written without decimals, but its ISO 4217 minor unit is the hundredth (590 -> 59000). */
export const MINOR_PER_MAJOR = 100

/** @returns minor units, or null when the text is no amount. Accepts `NT$ 1,290`, `1290.00`, full-width digits. */
export function parseAmountMinor(text: string | number | null | undefined): number | null {
  if (text === null || text === undefined || text === '') return null
  const cleaned = String(text)
    .normalize('NFKC')
    .replace(/NT\$|TWD|[$,\s元]/g, '')
  if (!/^-?\d+(\.\d{1,2}0*)?$/.test(cleaned)) return null
  return Math.round(Number(cleaned) * MINOR_PER_MAJOR)
}

/** Whole dollars, as Taiwanese couriers want them. @throws RangeError when there are cents. */
export function wholeDollars(amountMinor: number): number {
  if (amountMinor % MINOR_PER_MAJOR !== 0) throw new RangeError(`${amountMinor} minor units are not whole dollars`)
  return amountMinor / MINOR_PER_MAJOR
}

/** `590.00`, as people are told of it in tasks. */
export const amountText = (minor: number): string => (minor / MINOR_PER_MAJOR).toFixed(2)

/** `TWD 590.00` */
export const moneyText = (minor: number, currency: string): string => `${currency} ${amountText(minor)}`
