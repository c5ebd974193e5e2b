/** Countries as shops and people write them, and the provinces of those where a parcel needs one. */
import { fold } from './places.ts'

/** ISO 3166-1 alpha-2 -> names, lower case. Not every country: those to which Taiwanese shops usually ship. */
const NAMES: Record<string, readonly string[]> = {
  TW: ['臺灣', '中華民國', 'taiwan', 'r.o.c.', 'r.o.c', 'roc', 'twn', 'taiwan (roc)', 'republic of china'],
  HK: ['香港', 'hong kong', 'hongkong', 'hkg'],
  MO: ['澳門', '澳门', 'macau', 'macao', 'mac'],
  CN: ['中國', '中國大陸', '大陸', 'china', 'chn', 'p.r.c.', 'prc'],
  JP: ['日本', '日本國', 'japan', 'jpn'],
  KR: ['韓國', '南韓', '韩國', 'korea', 'south korea', 'republic of korea', 'kor'],
  SG: ['新加坡', 'singapore', 'sgp'],
  MY: ['馬來西亞', '马來西亚', 'malaysia', 'mys'],
  TH: ['泰國', 'thailand', 'tha'],
  VN: ['越南', 'vietnam', 'viet nam', 'vnm'],
  PH: ['菲律賓', 'philippines', 'phl'],
  ID: ['印尼', '印度尼西亞', 'indonesia', 'idn'],
  US: ['美國', 'usa', 'u.s.a.', 'united states', 'united states of america'],
  CA: ['加拿大', 'canada', 'can'],
  AU: ['澳洲', '澳大利亞', 'australia', 'aus'],
  NZ: ['紐西蘭', 'new zealand', 'nzl'],
  GB: ['英國', 'uk', 'u.k.', 'united kingdom', 'great britain', 'england', 'gbr'],
  FR: ['法國', 'france', 'fra'],
  DE: ['德國', 'germany', 'deu'],
}
const codes = new Map(Object.entries(NAMES).flatMap(([code, names]) => names.map((name) => [fold(name), code] as const)))

/** @returns ISO 3166-1 alpha-2, or null for a name not known here. */
export function countryCodeOf(written: string): string | null {
  const name = fold(written.trim().toLowerCase())
  return codes.get(name) ?? (/^[a-z]{2}$/.test(name) ? (name === 'uk' ? 'GB' : name.toUpperCase()) : null)
}

const LATIN_NAMES = [...codes.keys()]
  .filter((name) => (/^[a-z]/.test(name) && name.length > 3) || ['usa', 'u.s.a.', 'uk', 'u.k.', 'roc'].includes(name))
  .sort((a, b) => b.length - a.length)
const LATIN_END = new RegExp(
  `(?:^|[\\s,.(])(${LATIN_NAMES.map((name) => name.replaceAll('.', '\\.').replace(/[()]/g, '\\$&')).join('|')})\\)?[\\s.]*(?:\\d{3,6})?$`,
  'i',
)
const LATIN_START = new RegExp(
  `^(${LATIN_NAMES.map((name) => name.replaceAll('.', '\\.').replace(/[()]/g, '\\$&')).join('|')})(?=[\\s,:-])`,
  'i',
)
const HAN_NAMES = [...codes.keys()].filter((name) => !/^[a-z]/.test(name)).sort((a, b) => b.length - a.length)
/** 香港路, 中國街, 日本料理, 中國醫藥大學 are no countries. */
const NO_COUNTRY =
  /^(?:東|西|南|北|中)?[一二三四五六七八九十]?(?:路|街|大道|巷|里|村|橋|醫|科技|文化|大學|料理|城|人壽|信託|鋼|時報|石油|航空)/

export interface CountryFound {
  country: string
  length: number
}

/** A country's name at the head (its length is to be cut) or at the end of a Latin address (length 0). */
export function countryIn(text: string): CountryFound | null {
  const folded = fold(text.toLowerCase())
  for (const name of HAN_NAMES) {
    if (folded.startsWith(name) && !NO_COUNTRY.test(folded.slice(name.length)))
      return { country: codes.get(name) ?? 'TW', length: name.length }
  }
  const start = LATIN_START.exec(text)?.[1]
  if (start) return { country: countryCodeOf(start) ?? 'TW', length: start.length }
  const end = LATIN_END.exec(text)?.[1]
  return end ? { country: countryCodeOf(end) ?? 'TW', length: 0 } : null
}

const CHINA =
  '北京|上海|天津|重慶|重庆|河北|山西|遼寧|辽寧|吉林|黑龍江|黑龙江|江蘇|浙江|安徽|福建|江西|山東|河南|湖北|湖南|廣東|广東|海南|四川|貴州|贵州|雲南|陝西|陕西|甘肅|甘肃|青海'
const CHINA_PROVINCE = new RegExp(
  `^(?:${CHINA})(?:省|市)|^(?:內蒙古|廣西壯族|廣西|广西|西藏|寧夏回族|寧夏|新疆維吾爾|新疆)自治[區区]`,
)
/** A province at the head: 廣東省深圳市..., 上海市... */
export function chineseProvinceIn(text: string): string | null {
  const found = CHINA_PROVINCE.exec(fold(text))
  return found ? text.slice(0, found[0].length) : null
}

const US_STATE = /[\s,]([A-Z]{2})[\s,]+\d{5}(?:-\d{4})?(?=[\s,]|$)/
const CANADIAN_PROVINCE = /[\s,](AB|BC|MB|NB|NL|NS|NT|NU|ON|PE|QC|SK|YT)[\s,]+[A-Z]\d[A-Z]\s?\d[A-Z]\d(?=[\s,]|$)/i
export function provinceIn(country: string, text: string): string | null {
  if (country === 'CN') return chineseProvinceIn(text)
  if (country === 'US') return US_STATE.exec(text)?.[1] ?? null
  if (country === 'CA') return CANADIAN_PROVINCE.exec(text)?.[1]?.toUpperCase() ?? null
  return null
}
