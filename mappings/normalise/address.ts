/** Addresses: Taiwan's into postal code, city, district and the rest; others kept as written, with their country. */
import type { Address } from '../../domain/order.ts'
import { chineseProvinceIn, countryCodeOf, countryIn, provinceIn } from './countries.ts'
import { districtsOfCode, englishCities } from './districts.ts'
import { isMasked } from './masked.ts'
import { cityAt, cityOfCode, codeOf, districtAt, districtOfCode, districtsNamedAt, fold } from './places.ts'
import { normaliseText, storable } from './text.ts'

/** What a source gives in fields of its own, beside or instead of the whole address. */
export interface AddressParts {
  postalCode?: string | null
  city?: string | null
  district?: string | null
  province?: string | null
  country?: string | null
}
export type ParsedAddress = Address & {
  /** What a person should look at, without the address itself. The rest is filled in as far as it is certain. */
  problem?: string
}

const HAN = '\\p{Script=Han}'
const SPACE_BESIDE_HAN = new RegExp(`(?<=[${HAN}、，]) | (?=[${HAN}、，])`, 'gu')
const LEADING_CODE = /^(?:郵遞區號[:：]?)?[〒([]*(\d{3}(?:[- ]?\d{2,3})?)[)\]]*[-,，. ]*(?=\D)(?![號号巷弄樓楼段鄰之-])/u
const TRAILING_CODE = /[ ,，(]+(\d{3}(?:[- ]?\d{2,3})?)\)?$/u
const POST_BOX = /郵政.{0,6}信箱|郵局.{0,8}信箱|P\.? ?O\.? ?BOX/iu
const SEPARATORS = /^[\s,，、.。:：;；/_-]+/u

/** Half-width digits and marks as an address uses them; dashes between digits and letters only (一 stays one). */
const tidy = (text: string): string =>
  normaliseText(text)
    .replace(/[－–—‒﹣−]/g, '-')
    .replace(/＃/g, '#')
    .replace(/（/g, '(')
    .replace(/）/g, ')')
    .replace(/～/g, '~')

function codeFrom(part: string | null | undefined): { code: string | null; wrong: boolean } {
  const text = normaliseText(part)
    .replace(/\.0+$/, '')
    .replace(/[〒\s()-]/g, '')
  if (text === '' || isMasked(text)) return { code: null, wrong: false }
  return /^(?:\d{3}|\d{5}|\d{6})$/.test(text) ? { code: text, wrong: false } : { code: null, wrong: true }
}
const known = (part: string | null | undefined): string | null => {
  const text = tidy(part ?? '')
  return text === '' || isMasked(text) ? null : text
}

function foreign(raw: string | null, text: string, parts: AddressParts, country: string | null): ParsedAddress {
  const province = known(parts.province) ?? (country === null ? null : provinceIn(country, text))
  const address: ParsedAddress = {
    postalCode: known(parts.postalCode),
    city: known(parts.city),
    district: known(parts.district),
    line: text === '' || isMasked(text) ? null : text,
    raw,
    country,
    province,
  }
  if (text === '' && !address.city) address.problem = 'there is no address'
  else if (isMasked(text)) address.problem = 'the address is masked'
  return address
}

interface Place {
  city: string | null
  formerCounty: string | null
  district: string | null
  end: number
  problems: string[]
}

/** Reads city and district off the head, as often as they are repeated. */
function readHead(
  text: string,
  hint: { city: string | null; formerCounty: string | null; district: string | null; code: string | null },
): Place {
  const folded = fold(text)
  const place: Place = { city: hint.city, formerCounty: hint.formerCounty, district: hint.district, end: 0, problems: [] }
  let written: string | null = null
  let at = 0
  const skip = () => {
    at += SEPARATORS.exec(text.slice(at))?.[0].length ?? 0
  }
  for (;;) {
    const match = cityAt(folded, at)
    if (!match) break
    if (written !== null && match.city !== written) {
      if (!districtAt(folded, at + match.length, match.city, match.formerCounty)) break
      place.problems.push(`${written} and ${match.city} are both written`)
      place.district = null
    } else if (hint.city !== null && match.city !== hint.city) {
      place.problems.push(`the city column says ${hint.city}, the address ${match.city}`)
      place.district = null
    }
    written = match.city
    place.city = match.city
    place.formerCounty = match.formerCounty
    at += match.length
    skip()
    const district = districtAt(folded, at, match.city, match.formerCounty)
    if (district) {
      if (place.district !== null && place.district !== district.name)
        place.problems.push(`${place.district} and ${district.name} are both written`)
      place.district = district.name
      at += district.length
      skip()
    }
  }
  // The district again, or alone: 中正區重慶南路, 台北市中正區中正區重慶南路.
  for (;;) {
    const rest = folded.slice(at)
    if (place.city !== null) {
      const district = districtAt(folded, at, place.city, place.formerCounty)
      if (!district || (place.district !== null && place.district !== district.name && at > 0)) break
      if (place.district !== null && place.district !== district.name)
        place.problems.push(`the district column says ${place.district}, the address ${district.name}`)
      place.district = district.name
      at += district.length
      skip()
      if (cityAt(folded, at)?.city === place.city) at += cityAt(folded, at)?.length ?? 0
      continue
    }
    const named = districtsNamedAt(folded, at)
    const name = named[0]?.name
    if (name === undefined || rest === '') break
    const ofCode = hint.code === null ? [] : named.filter((district) => district.postalCode === hint.code?.slice(0, 3))
    const only = ofCode.length === 1 ? ofCode[0] : named.length === 1 ? named[0] : undefined
    place.district = name
    if (only) place.city = only.city
    else place.problems.push(`${name} is in ${named.map((district) => district.city).join(', ')}: the city is missing`)
    at += name.length
    skip()
    if (!only) break
  }
  place.end = at
  return place
}

/** English addresses of Taiwan: the city by its name, the district by the postal code. */
function readEnglish(text: string): string[] {
  const words = text.toLowerCase().replace(/[^a-z]+/g, ' ')
  const name = Object.keys(englishCities)
    .filter((city) => ` ${words} `.includes(` ${city} `))
    .sort((a, b) => b.length - a.length)[0]
  const found = name === undefined ? [] : [...(englishCities[name] ?? [])]
  if (found.length < 2) return found
  return found.filter((city) => city.endsWith(new RegExp(`${name} county`).test(words) ? '縣' : '市'))
}

function cityFromPart(part: string | null): { city: string | null; formerCounty: string | null; district: string | null } {
  if (part === null) return { city: null, formerCounty: null, district: null }
  const compact = part.replace(SPACE_BESIDE_HAN, '')
  const folded = fold(compact)
  const match = cityAt(folded, 0) ?? cityAt(`${folded}市`, 0) ?? cityAt(`${folded}縣`, 0)
  if (!match) return { city: readEnglish(compact)[0] ?? null, formerCounty: null, district: null }
  const district = districtAt(folded, match.length, match.city, match.formerCounty)
  return { city: match.city, formerCounty: match.formerCounty, district: district?.name ?? null }
}

/**
 * @param raw the address as written, whole or without what `parts` gives. @param parts fields the source keeps apart.
 * Never throws; `raw` keeps what was written (less what a database cannot store).
 */
export function parseAddress(raw: unknown, parts: AddressParts = {}): ParsedAddress {
  const written = typeof raw === 'string' ? raw : typeof raw === 'number' ? String(raw) : null
  const kept = written === null ? null : storable(written)
  let text = tidy(written ?? '')
  const given = known(parts.country)
  let country = given === null ? null : countryCodeOf(given)
  const unknownCountry = given !== null && country === null
  if (unknownCountry)
    return { ...foreign(kept, text, parts, null), problem: 'the country is not known here: give its two-letter code' }
  if (country !== null && country !== 'TW') return foreign(kept, text, parts, country)

  const front = LEADING_CODE.exec(text)
  const headless = (front ? text.slice(front[0].length) : text).replace(/^(?:臺灣省|台灣省|福建省(?=金門|連江))/u, '')
  const startsInTaiwan = cityAt(fold(headless.replace(SPACE_BESIDE_HAN, '')), 0) !== null
  if (!startsInTaiwan) {
    const found = countryIn(headless)
    if (found && found.country !== 'TW' && country === null) return foreign(kept, text, parts, found.country)
    if (found?.country === 'TW') country = 'TW'
    if (found?.country === 'TW' && found.length > 0)
      text = (front?.[0] ?? '') + headless.slice(found.length).replace(SEPARATORS, '')
    if (country === null && chineseProvinceIn(headless) !== null) return foreign(kept, text, parts, 'CN')
  }
  return taiwan(kept, text, parts)
}

function taiwan(raw: string | null, written: string, parts: AddressParts): ParsedAddress {
  const problems: string[] = []
  const fromPart = codeFrom(parts.postalCode)
  if (fromPart.wrong) problems.push('the postal code needs 3, 5 or 6 digits')
  let text = written
  const front = LEADING_CODE.exec(text)
  if (front) text = text.slice(front[0].length)
  let code = fromPart.code
  const codeInText = front?.[1]?.replace(/\D/g, '') ?? null
  if (codeInText !== null && code !== null && code.slice(0, 3) !== codeInText.slice(0, 3))
    problems.push(`the postal codes ${code} and ${codeInText} disagree`)
  if (codeInText !== null && (code === null || (codeInText.startsWith(code) && codeInText.length > code.length)))
    code = codeInText

  const atEnd = TRAILING_CODE.exec(text)
  const codeAtEnd = atEnd?.[1]?.replace(/\D/g, '') ?? ''
  const trailing = code === null || (atEnd && (codeAtEnd.startsWith(code) || code.startsWith(codeAtEnd))) ? atEnd : null
  text = text.replace(/^(?:臺灣省|台灣省|台湾省|臺灣|台灣|台湾|福建省(?=金門|連江))[,， ]*/u, '')
  const compact = (value: string) => value.replace(SPACE_BESIDE_HAN, '').replace(SEPARATORS, '')
  const cityPart = cityFromPart(known(parts.city) ?? known(parts.province))
  const districtPart = known(parts.district)
  let hintDistrict = cityPart.district
  if (districtPart !== null) {
    const folded = fold(districtPart.replace(SPACE_BESIDE_HAN, ''))
    const repeated = cityAt(folded, 0)
    const at = repeated?.length ?? 0
    if (cityPart.city === null && repeated) cityPart.city = repeated.city
    if (cityPart.city !== null) {
      hintDistrict = districtAt(folded, at, cityPart.city, cityPart.formerCounty)?.name ?? null
      if (hintDistrict === null) problems.push(`${cityPart.city} has no such district as the district column says`)
    } else {
      const named = districtsNamedAt(folded, at).filter(
        (district, _, all) => all.length === 1 || district.postalCode === code?.slice(0, 3),
      )
      hintDistrict = districtsNamedAt(folded, at)[0]?.name ?? null
      if (named.length === 1) cityPart.city = named[0]?.city ?? null
      else problems.push('the district column needs a city')
    }
  }
  let place = readHead(compact(text), { city: cityPart.city, formerCounty: cityPart.formerCounty, district: hintDistrict, code })
  let line = compact(text).slice(place.end)

  if (trailing && place.city !== null && districtsOfCode(codeAtEnd).some((district) => district.city === place.city)) {
    const shorter = text.slice(0, trailing.index)
    const again = readHead(compact(shorter), {
      city: cityPart.city,
      formerCounty: cityPart.formerCounty,
      district: hintDistrict,
      code: null,
    })
    if (again.city === place.city && compact(shorter).length > again.end) {
      if (code === null || codeAtEnd.length > code.length) code = codeAtEnd
      place = again
      line = compact(shorter).slice(again.end)
    }
  }
  problems.push(...place.problems)
  let { city, district } = place
  if (city === null && text !== '' && !new RegExp(HAN, 'u').test(text)) {
    const english = readEnglish(text)
    city = english[0] ?? null
    code ??= /(?:^|[\s,])(\d{3}(?:\d{2,3})?)(?=[\s,]*(?:taiwan|r\.?o\.?c\.?|\(|$))/i.exec(text)?.[1] ?? null
  }

  if (code !== null) {
    const ofCode = districtsOfCode(code)
    if (ofCode.length === 0) problems.push(`no district has the postal code ${code}`)
    else if (city === null && district === null) {
      city = cityOfCode(code)
      district = districtOfCode(code)?.name ?? null
    } else if (city !== null && !ofCode.some((one) => one.city === city)) {
      problems.push(`the postal code ${code} belongs to ${cityOfCode(code) ?? 'elsewhere'}, the address says ${city}`)
    } else if (city !== null && district === null) district = districtOfCode(code)?.name ?? null
    else if (city !== null && !ofCode.some((one) => one.name === district)) {
      problems.push(
        `the postal code ${code} belongs to ${ofCode.map((one) => one.name).join(', ')}, the address says ${district}`,
      )
    }
  }
  if (city !== null && district !== null) code ??= codeOf(city, district)
  if (isMasked(line)) {
    line = ''
    problems.push('the address is masked')
  } else if (cityAt(fold(line), 0) !== null) problems.push('another city follows the district')
  else if (line === '') problems.push(written === '' ? 'there is no address' : 'nothing follows the district')
  if (city === null && !problems.some((problem) => problem.includes('city'))) problems.push('the city is missing')
  else if (city !== null && district === null)
    problems.push(POST_BOX.test(line) ? 'a post office box has no district' : `no district of ${city} is named`)
  return {
    postalCode: code,
    city,
    district,
    line: line === '' ? null : line,
    raw,
    country: 'TW',
    ...(problems.length > 0 && { problem: problems.join('; ') }),
  }
}
