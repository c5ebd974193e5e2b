/** A courier in this process: it knows what it booked, refuses a number it knows, and fails as it is told to. */
import type { Booking, Connector, ParcelRequest } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'

/** What becomes of the next call: `lost` does the work and loses the answer, `late` does it only after the next look-up. */
export type BookingFate = 'ok' | 'refuse' | 'invalid' | 'down' | 'lost' | 'late'
export type CancelFate = 'ok' | 'refuse' | 'down'

export interface StandInCourier {
  connector: Connector
  /** The fates of the next calls, in order; when they are used up, `otherwise` holds. */
  plan: { book: BookingFate[]; cancel: CancelFate[]; otherwise: BookingFate; otherwiseCancel: CancelFate }
  calls: { call: 'book' | 'lookUp' | 'cancel'; reference: string }[]
  booked: Map<string, Booking & { cancelled: boolean; request: ParcelRequest }>
  /** The next `book` waits until the returned function is called. @returns it, and a promise that resolves when the call has come. */
  hold(): { came: Promise<void>; release(): void }
  reset(): void
}

export function standInCourier(name: string): StandInCourier {
  let serial = 0
  let gate: { came(): void; open: Promise<void> } | null = null
  const late = new Map<string, ParcelRequest>()
  const courier: StandInCourier = {
    plan: { book: [], cancel: [], otherwise: 'ok', otherwiseCancel: 'ok' },
    calls: [],
    booked: new Map(),
    hold() {
      let release: () => void = () => undefined
      let arrived: () => void = () => undefined
      const came = new Promise<void>((resolve) => {
        arrived = resolve
      })
      const open = new Promise<void>((resolve) => {
        release = resolve
      })
      gate = { came: arrived, open }
      return { came, release }
    },
    reset() {
      Object.assign(courier.plan, { book: [], cancel: [], otherwise: 'ok', otherwiseCancel: 'ok' })
      courier.calls.length = 0
    },
    connector: undefined as never,
  }

  function enter(parcel: ParcelRequest): Booking {
    if (courier.booked.has(parcel.reference))
      throw new OmnisagaError('Rejected', 'this number exists already', { code: 'duplicate' })
    serial += 1
    const booking = {
      waybill: `W${String(serial).padStart(9, '0')}`,
      courierBookingId: `B${serial}`,
      labelAmountMinor: parcel.amountDueMinor,
      label: {},
    }
    courier.booked.set(parcel.reference, { ...booking, cancelled: false, request: parcel })
    return booking
  }

  courier.connector = {
    name,
    title: 'A courier',
    kind: 'courier',
    configSchema: undefined as never, // never parsed here: the connection is opened by the test's runtime
    secretFields: [],
    check: () => Promise.resolve({ ok: true, problems: [] }),
    courier: {
      async book(_ctx, parcel) {
        courier.calls.push({ call: 'book', reference: parcel.reference })
        const mine = gate
        gate = null
        mine?.came()
        await mine?.open
        const fate = courier.plan.book.shift() ?? courier.plan.otherwise
        if (fate === 'refuse')
          throw new OmnisagaError('Rejected', 'this parcel is not taken', { code: 'no', remedy: 'send it otherwise' })
        if (fate === 'invalid')
          throw new OmnisagaError('Invalid', 'the address is too long', { code: 'long', remedy: 'shorten it' })
        if (fate === 'down') throw new OmnisagaError('Transient', 'nobody answers')
        if (fate === 'late') late.set(parcel.reference, parcel)
        if (fate === 'late') throw new OmnisagaError('OutcomeUnknown', 'no answer after sending')
        const booking = enter(parcel)
        if (fate === 'lost') throw new OmnisagaError('OutcomeUnknown', 'no answer after sending')
        return booking
      },
      lookUp(_ctx, parcel) {
        courier.calls.push({ call: 'lookUp', reference: parcel.reference })
        const known = courier.booked.get(parcel.reference) ?? null
        const coming = late.get(parcel.reference)
        late.delete(parcel.reference)
        // The same request twice is one booking, however late it is entered.
        if (coming !== undefined && known === null) enter(coming)
        return Promise.resolve(known)
      },
      cancel(_ctx, { reference }) {
        courier.calls.push({ call: 'cancel', reference })
        const fate = courier.plan.cancel.shift() ?? courier.plan.otherwiseCancel
        if (fate === 'refuse') return Promise.reject(new OmnisagaError('Rejected', 'it is on the van already'))
        if (fate === 'down') return Promise.reject(new OmnisagaError('Transient', 'nobody answers'))
        const known = courier.booked.get(reference)
        if (known !== undefined) known.cancelled = true
        return Promise.resolve()
      },
      mapReport: () => {
        throw new Error('tests hand reports over mapped')
      },
      serviceFor: (_config, { method, chain }) => (method === 'cvs' ? (chain ?? 'UNIMART') : 'TCAT'),
    },
  }
  return courier
}
