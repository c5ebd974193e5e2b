/** In which languages customers are written to, and what a text is made of. */

export const LANGUAGES = ['zh-TW', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

export interface Words {
  subject: string
  lines: string[]
}
