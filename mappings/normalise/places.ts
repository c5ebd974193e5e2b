/** Finds Taiwan's cities and districts at the head of a text, however they are spelt. */
import { cities, districts, districtsOfCode, formerCounties, formerDistricts, type District } from './districts.ts'

/** Spellings of one another, one character for one character, so that positions stay. For comparing only. */
const VARIANTS: Record<string, string> = {
  台: '臺',
  县: '縣',
  區: '區',
  区: '區',
  乡: '鄉',
  郷: '鄉',
  镇: '鎮',
  巿: '市',
  莊: '庄',
  裡: '里',
  裏: '里',
  峯: '峰',
  塩: '鹽',
  盐: '鹽',
  恒: '恆',
  双: '雙',
  龟: '龜',
  亀: '龜',
  脚: '腳',
  芦: '蘆',
  峡: '峽',
  湾: '灣',
  万: '萬',
  栖: '棲',
  刺: '莿',
  坎: '崁',
  国: '國',
  东: '東',
  义: '義',
  莺: '鶯',
  鸶: '鷥',
  丰: '豐',
  豊: '豐',
  寿: '壽',
  滨: '濱',
  浜: '濱',
  澤: '澤',
  内: '內',
  龙: '龍',
  竜: '龍',
  关: '關',
  麦: '麥',
  树: '樹',
  卫: '衛',
  云: '雲',
  连: '連',
  门: '門',
  兰: '蘭',
  莲: '蓮',
  苏: '蘇',
  后: '後',
}
export const fold = (text: string): string =>
  Array.from(text, (character) => {
    const plain = /[\uf900-\ufaff]/.test(character) ? character.normalize('NFC') : character
    return VARIANTS[plain] ?? plain
  }).join('')

export interface CityMatch {
  city: string
  length: number
  formerCounty: string | null
}
export interface DistrictMatch {
  name: string
  length: number
}

interface Spelling {
  written: string
  city: string
  formerCounty: string | null
  short: boolean
}
const spellings: Spelling[] = [
  ...cities.map((city) => ({ written: fold(city), city, formerCounty: null, short: false })),
  ...Object.entries(formerCounties).map(([county, city]) => ({
    written: fold(county),
    city,
    formerCounty: county,
    short: false,
  })),
  ...cities.map((city) => ({ written: fold(city).slice(0, -1), city, formerCounty: null, short: true })),
  ...Object.entries(formerCounties).map(([county, city]) => ({
    written: fold(county).slice(0, -1),
    city,
    formerCounty: county,
    short: true,
  })),
]
const byCity = new Map(cities.map((city) => [city, districts.filter((district) => district.city === city)]))

/** 屏東市場 is a market, not a town; 屏東市民生路 is a road in the town. */
const TOWN_GOES_ON = /^場/
const municipalities = new Set(Object.values(formerCounties))

/** A district of the city at this place of the folded text. Old suffixes count (板橋市, 員林鎮), but exact names come first. */
export function districtAt(folded: string, at: number, city: string, formerCounty: string | null): DistrictMatch | null {
  const rest = folded.slice(at)
  for (const [written, name] of Object.entries(formerDistricts)) {
    const former = fold(written)
    const head = fold(formerCounty ?? city)
    if (former.startsWith(head) && rest.startsWith(former.slice(head.length)))
      return { name, length: former.length - head.length }
  }
  const known = byCity.get(city) ?? []
  const exact = known.find((district) => rest.startsWith(fold(district.name)) && goesOn(rest, fold(district.name)))
  if (exact) return { name: exact.name, length: exact.name.length }
  // 桃園市 written twice is the city again; after 桃園縣 it was the town.
  if (formerCounty === null && rest.startsWith(fold(city))) return null
  const suffixes = municipalities.has(city) ? '市鎮鄉' : city.endsWith('縣') ? '市鎮鄉' : ''
  for (const district of known) {
    const base = fold(district.name).slice(0, -1)
    if (base.length < 2 || !rest.startsWith(base) || !suffixes.includes(rest.charAt(base.length) || '-')) continue
    if (goesOn(rest, rest.slice(0, base.length + 1))) return { name: district.name, length: base.length + 1 }
  }
  return null
}
const goesOn = (rest: string, name: string) => !(name.endsWith('市') && TOWN_GOES_ON.test(rest.slice(name.length)))

/** A name without 市 or 縣 (台北, 新竹) counts only before one of the city's districts or a post office. */
export function cityAt(folded: string, at: number): CityMatch | null {
  const rest = folded.slice(at)
  const matches = spellings.filter((spelling) => rest.startsWith(spelling.written))
  const full = matches.find((spelling) => !spelling.short && goesOn(rest, spelling.written))
  // 彰化市, 屏東市 ... are towns, not cities; they are found as districts.
  if (full) return { city: full.city, length: full.written.length, formerCounty: full.formerCounty }
  for (const spelling of matches) {
    const after = at + spelling.written.length
    if (/^[市縣]/.test(folded.slice(after))) continue
    if (districtAt(folded, after, spelling.city, spelling.formerCounty) || /^郵(?:政|局)/.test(folded.slice(after))) {
      return { city: spelling.city, length: spelling.written.length, formerCounty: spelling.formerCounty }
    }
  }
  return null
}

/** Every district of that very name, in whatever city, at this place. */
export function districtsNamedAt(folded: string, at: number): District[] {
  const rest = folded.slice(at)
  return districts.filter((district) => rest.startsWith(fold(district.name)) && goesOn(rest, fold(district.name)))
}

export const codeOf = (city: string, name: string): string | null =>
  districts.find((district) => district.city === city && district.name === name)?.postalCode ?? null

/** The one district of a code, or null when the code has several or none. */
export function districtOfCode(code: string): District | null {
  const found = districtsOfCode(code)
  return found.length === 1 ? (found[0] ?? null) : null
}
/** The one city of a code. */
export function cityOfCode(code: string): string | null {
  const found = new Set(districtsOfCode(code).map((district) => district.city))
  return found.size === 1 ? ([...found][0] ?? null) : null
}
