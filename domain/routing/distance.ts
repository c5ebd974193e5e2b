/** How far two Taiwanese postal codes lie apart, as the crow flies between the seats of their counties: enough to compare. */

/** First digits of a 3-digit postal code -> latitude and longitude of the county's seat, in degrees. The longest prefix wins. */
const SEATS: Readonly<Record<string, readonly [number, number]>> = {
  '1': [25.04, 121.56], // 臺北市
  '20': [25.13, 121.74], // 基隆市
  '207': [25.18, 121.69], // 新北市, north coast
  '208': [25.22, 121.64],
  '209': [26.15, 119.93], // 連江縣
  '21': [26.15, 119.93],
  '22': [25.01, 121.47], // 新北市
  '23': [24.97, 121.52],
  '24': [25.06, 121.46],
  '25': [25.17, 121.44],
  '26': [24.75, 121.75], // 宜蘭縣
  '30': [24.81, 120.97], // 新竹
  '31': [24.74, 121.09],
  '32': [24.95, 121.22], // 桃園市, south
  '33': [24.99, 121.3],
  '35': [24.69, 120.88], // 苗栗縣
  '36': [24.56, 120.82],
  '4': [24.15, 120.67], // 臺中市
  '42': [24.25, 120.72],
  '43': [24.27, 120.58],
  '5': [24.07, 120.54], // 彰化縣
  '54': [23.92, 120.68], // 南投縣
  '55': [23.83, 120.78],
  '60': [23.48, 120.45], // 嘉義
  '61': [23.46, 120.3],
  '62': [23.55, 120.43],
  '63': [23.71, 120.43], // 雲林縣
  '64': [23.71, 120.54],
  '65': [23.6, 120.25],
  '7': [22.99, 120.2], // 臺南市
  '73': [23.3, 120.32],
  '8': [22.63, 120.3], // 高雄市
  '82': [22.8, 120.3],
  '84': [22.89, 120.5],
  '88': [23.57, 119.57], // 澎湖縣
  '89': [24.43, 118.32], // 金門縣
  '9': [22.67, 120.49], // 屏東縣
  '94': [22.2, 120.7],
  '95': [22.76, 121.14], // 臺東縣
  '96': [22.8, 121.1],
  '97': [23.98, 121.6], // 花蓮縣
  '98': [23.33, 121.32],
}

const seatOf = (postalCode: string) =>
  SEATS[postalCode.slice(0, 3)] ?? SEATS[postalCode.slice(0, 2)] ?? SEATS[postalCode.slice(0, 1)]

const EARTH_RADIUS_KM = 6371
const radians = (degrees: number) => (degrees * Math.PI) / 180

/** @returns whole kilometres; null when either is no postal code of Taiwan. Two places of one county lie 0 apart. */
export function distanceKm(from: string | null, to: string | null): number | null {
  const a = from === null || !/^\d{3}/.test(from) ? undefined : seatOf(from)
  const b = to === null || !/^\d{3}/.test(to) ? undefined : seatOf(to)
  if (a === undefined || b === undefined) return null
  const dLatitude = radians(b[0] - a[0])
  const dLongitude = radians(b[1] - a[1])
  const h = Math.sin(dLatitude / 2) ** 2 + Math.cos(radians(a[0])) * Math.cos(radians(b[0])) * Math.sin(dLongitude / 2) ** 2
  return Math.round(2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(h)))
}
