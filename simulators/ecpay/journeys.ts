/** The status codes a parcel of each service goes through, in order (from ECPay's published flow tables). */

export type Destination = 'shipped' | 'arrived' | 'delivered' | 'returned' | 'attemptFailed' | 'lost'
export type Outcome = 'delivered' | 'returned' | 'lost'
interface Journey {
  /** What Create answers. */
  created: string
  /** Up to and including the code that says the courier has it. */
  toShipped: string[]
  /** At the pickup store; for home delivery: out with the driver. */
  toArrived: string[]
  delivered: string
  attemptFailed: string
  back: string[]
  lost: string
}

const journey = (
  created: string,
  toShipped: string,
  toArrived: string,
  delivered: string,
  attemptFailed: string,
  back: string,
  lost: string,
): Journey => ({
  created,
  toShipped: toShipped.split(' '),
  toArrived: toArrived.split(' '),
  delivered,
  attemptFailed,
  back: back.split(' '),
  lost,
})

const JOURNEYS: Record<string, Journey> = {
  TCAT: journey('300', '310 3001', '3006', '3003', '3002', '5004 5008', '5002'),
  POST: journey('300', '320 3301', '3313 3312', '3308', '3303', '3311 3310', '7302'),
  UNIMART: journey('300', '310 2024 2030', '2063', '2067', '2065', '2065 2076 2044', '2042'),
  UNIMARTFREEZE: journey('300', '310 2024 2030', '2063', '2067', '2065', '2065 2076 2044', '2042'),
  UNIMARTC2C: journey('300', '2068 2030', '2073', '2067', '2074', '2074 2072 2070', '2042'),
  FAMI: journey('300', '310 3024', '3018', '3022', '3020', '3020 3023', '7006'),
  FAMIC2C: journey('300', '3032 3024', '3018', '3022', '3020', '3020 3019 3023', '7006'),
  HILIFE: journey('300', '2001 3024', '3018', '3022', '3020', '3020 3023', '7006'),
  HILIFEC2C: journey('300', '2001 3032 3024', '3018', '3022', '3020', '3020 3025 3019 3023', '7006'),
  OKMARTC2C: journey('300', '3032 2030', '2073', '3022', '2074', '2074 2078 2072 3023', '7102'),
}

const of = (subType: string): Journey => {
  const found = JOURNEYS[subType]
  if (!found) throw new RangeError(`no journey for ${subType}`)
  return found
}
export const createdCode = (subType: string): string => of(subType).created

/** Every code from the creation to `to`, the creation left out. */
export function codesTo(subType: string, to: Destination): string[] {
  const j = of(subType)
  switch (to) {
    case 'shipped':
      return j.toShipped
    case 'arrived':
      return [...j.toShipped, ...j.toArrived]
    case 'delivered':
      return [...j.toShipped, ...j.toArrived, j.delivered]
    case 'attemptFailed':
      return [...j.toShipped, ...j.toArrived, j.attemptFailed]
    case 'returned':
      return [...j.toShipped, ...j.toArrived, ...j.back]
    case 'lost':
      return [...j.toShipped, j.lost]
  }
}
