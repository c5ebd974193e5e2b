/** Notices to customers: which language, and the text with its values. Pure. */
import { OmnisagaError } from '../../domain/errors.ts'
import { type Language, texts } from './texts.ts'

export { LANGUAGES, texts, type Language } from './texts.ts'

/** Missing values are null. */
export type NoticeValues = Record<string, string | null>

const CHINESE = new Set(['TW', 'HK', 'MO', 'CN'])

/** @param country ISO 3166-1 alpha-2 of where the goods go; null: here. */
export const languageFor = (country: string | null): Language => (country === null || CHINESE.has(country) ? 'zh-TW' : 'en')

const NAMES: Record<Language, string> = { 'zh-TW': '顧客', en: 'customer' }

/** @throws OmnisagaError Invalid: there is no such template. */
export function noticeText(template: string, language: Language, values: NoticeValues): { subject: string; text: string } {
  const words = Object.hasOwn(texts, template) ? texts[template]?.[language] : undefined
  if (words === undefined) throw new OmnisagaError('Invalid', `there is no notice ${template}`, { code: 'template' })
  const known: NoticeValues = { ...values, customer: values.customer ?? NAMES[language] }
  const fill = (line: string) => line.replace(/\{(\w+)\}/g, (_, name: string) => known[name] ?? '')
  const isWhole = (line: string) => [...line.matchAll(/\{(\w+)\}/g)].every(([, name = '']) => (known[name] ?? '') !== '')
  return { subject: fill(words.subject), text: words.lines.filter(isWhole).map(fill).join('\n') }
}

/** Amounts as people write them: NT$590, or USD 12.50. */
export const amountText = (amountMinor: number, currency: string): string =>
  currency === 'TWD' ? `NT$${(amountMinor / 100).toLocaleString('en-US')}` : `${currency} ${(amountMinor / 100).toFixed(2)}`

/** In the clock of `zone`, e.g. 2026-11-22 18:00. */
export function timeText(iso: string, zone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(new Date(iso))
}
