/**
 * ECPay's logistics status codes by sub-type, in our words. The same number can mean another thing elsewhere, and the "common
 * status" text of ECPay's guides contradicts its own status workbook: this follows the workbook (logistics_status.xlsx, 2026-04-29).
 */
import type { ParcelMeaning } from '../kit/types.ts'

type Known = Exclude<ParcelMeaning, 'unknown'>

/** `a-b` stands for every code from a to b. */
const CODES: Record<string, Partial<Record<Known, string>>> = {
  UNIMART: {
    announced: '300 310 2000 2001 2024 2025 2031',
    shipped: '2030',
    inTransit: '2027 2041 2043 2057-2059 2095',
    arrivedAtPickup: '2063 2073 2098',
    delivered: '2067',
    returning: '2016 2026 2033 2034 2038-2040 2045-2047 2049-2052 2054 2055 2060 2065 2072 2074-2076 4001 4002',
    returned: '2044 2070',
    lost: '2042 4004 7018',
    storeClosed: '2028 2037',
    problem: '2002-2015 2017-2023 2029 2032 2035 2036 2048 2053 2061 2062 2066 2071 2094 4003 7017 7021-7023 7038',
  },
  UNIMARTC2C: {
    announced: '300 2102 2105',
    shipped: '2030 2068',
    inTransit: '2041 2043 2058',
    arrivedAtPickup: '2073 2098',
    delivered: '2067',
    returning: '2051 2069 2072 2074-2076 2078-2087 2089 2092 2093 2097 2099',
    returned: '2070',
    lost: '2042 2088 7018 7020',
    storeClosed: '2101 2104',
    problem: '2048 2053 2061 2062 2066 2077 2094 2096 2103 7013 7017 7019 7038 9999',
  },
  FAMI: {
    announced: '300 310 2105 7014',
    shipped: '3024 3032',
    arrivedAtPickup: '3018 3029',
    delivered: '3022',
    returning: '3019 3020 3025 3031 4001 4002 7012 7016',
    returned: '3023',
    lost: '7006 7007 7035',
    storeClosed: '7011',
    problem: '3021 5009 7008-7010 7013 7015 7032-7034 7036 7037',
  },
  FAMIC2C: {
    announced: '300 310 2105 7014',
    shipped: '3024 3032',
    arrivedAtPickup: '3018 3029',
    delivered: '3022',
    returning: '3019 3020 3025 3031 4001 4002 7012 7016',
    returned: '3023',
    lost: '7006 7007 7035',
    storeClosed: '7011',
    problem: '3021 5009 7008-7010 7013 7015 7032 7034 7036',
  },
  HILIFE: {
    announced: '300 310 311 2000 2001 2024 2025 2031 2102 2105 7014',
    shipped: '2030 2068 3024 3032',
    inTransit: '2027 2041 2043 2057-2059 7004',
    arrivedAtPickup: '2063 2073 3018 3029',
    delivered: '2067 3022',
    returning: `325 2016 2026 2033 2034 2038-2040 2045-2047 2049-2052 2054 2055 2060 2065 2069 2072 2074 2075 3019 3020
      3025 3031 3033 4001 4002 5005 7012 7016`,
    returned: '2070 3023 5008 9001 9002',
    lost: '2042 5002 5007 7006 7007',
    storeClosed: '2028 2037 2101 2104 7011',
    wrongAddress: '7003',
    problem: `2002-2007 2009-2015 2017-2023 2029 2032 2035 2036 2048 2053 2061 2062 2066 2071 2103 3021 5001 5003 5004 5006
      5009 7001 7002 7005 7008-7010 7013 7032 9999`,
  },
  HILIFEC2C: {
    announced: '300 310 311 2000 2001 2024 2025 2031 2102 2105 7014',
    shipped: '2030 2068 3024 3032',
    inTransit: '2027 2041 2043 2057-2059 7004',
    arrivedAtPickup: '2063 2073 3018 3029',
    delivered: '2067 3022',
    returning: `325 2016 2026 2033 2034 2038-2040 2045-2047 2049-2052 2054 2055 2060 2065 2069 2072 2074 2075 3019 3020
      3025 3031 3033 4001 4002 5005 7012 7016`,
    returned: '2070 3023 5008 9001 9002',
    lost: '2042 5002 5007 7006 7007',
    storeClosed: '2028 2037 2101 2104 7011',
    wrongAddress: '7003',
    problem: `2002-2007 2009-2015 2017-2023 2029 2032 2035 2036 2048 2053 2061 2062 2066 2071 2103 3021 5001 5003 5004 5006
      5009 7001 7002 7005 7008-7010 7013 7032 9999`,
  },
  OKMARTC2C: {
    announced: '300 2105',
    shipped: '2030 3032',
    arrivedAtPickup: '2073',
    delivered: '3022',
    returning: '2055 2072 2074 2075 2078 7255',
    returned: '3023',
    storeClosed: '7101',
    problem: '3021 7102-7107 7201-7207',
  },
  TCAT: {
    announced: '300 310 311',
    shipped: '3001',
    inTransit: '3004 3005 3010 3013-3015 3118-3120 7004',
    arrivedAtPickup: '3011 3012 3121',
    outForDelivery: '3006',
    delivered: '3003',
    attemptFailed: '3002 3007 3122 7024 7025',
    returning: '325 3123-3125 5004 5005 7029',
    returned: '5008',
    lost: '5002 5007',
    refused: '3117',
    wrongAddress: '3008 3009 7003',
    problem: '3016 3017 5001 5003 5006 7001 7002 7005 7026-7028 7030 7031',
  },
  POST: {
    announced: '320',
    shipped: '3301',
    inTransit: '3313',
    arrivedAtPickup: '3302 3314 3315',
    outForDelivery: '3312',
    delivered: '3307-3309',
    attemptFailed: '3303',
    refused: '3305',
    returning: '3311',
    returned: '3310',
    lost: '3304 7302',
    problem: '3306 7300 7301',
  },
}

const codesOf = (text: string) =>
  text.split(/\s+/).flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, index) => String(from + index))
  })

const MEANINGS: ReadonlyMap<string, ReadonlyMap<string, Known>> = new Map(
  Object.entries(CODES).map(([subType, groups]) => [
    subType,
    new Map(Object.entries(groups).flatMap(([meaning, text]) => codesOf(text).map((code) => [code, meaning as Known] as const))),
  ]),
)

/** UNIMARTFREEZE has no list of its own: it runs through the chain's B2C logistics. */
const SAME_AS: Record<string, string> = { UNIMARTFREEZE: 'UNIMART' }

/** A code that is not in the list of its sub-type is `unknown`: kept and shown, never guessed. */
export const meaningOf = (subType: string, code: string): ParcelMeaning =>
  MEANINGS.get(SAME_AS[subType] ?? subType)?.get(code) ?? 'unknown'
