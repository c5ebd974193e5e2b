/** What a courier's driver signs: every parcel handed over at one place. */
import { money } from './shippingLabel.ts'
import { sheet } from './table.ts'

export interface Manifest {
  id: string
  courier: string
  location: string
  /** Local time of the location, for people. */
  madeAt: string
  /** When the courier comes, for people; null: it was not asked. */
  pickup?: string | null
  parcels: {
    waybill: string
    orderNumber: string
    service: string
    weightGrams: number | null
    amountDueMinor: number
    currency: string
  }[]
}
type Parcel = Manifest['parcels'][number]

export const manifest = (list: Manifest, now: Date): Promise<Buffer> =>
  sheet<Parcel>({
    title: `交寄清單 ${list.courier}`,
    facts: [
      `${list.location}　${list.madeAt}`,
      ...(list.pickup ? [`到府取件 ${list.pickup}`] : []),
      `${list.parcels.length} 件　代收 ${money(
        list.parcels.reduce((sum, parcel) => sum + parcel.amountDueMinor, 0),
        list.parcels[0]?.currency ?? 'TWD',
      )}`,
    ],
    code: list.id,
    columns: [
      { head: '託運單號', widthMm: 62, of: (parcel) => parcel.waybill, barcode: true },
      { head: '訂單', widthMm: 48, of: (parcel) => parcel.orderNumber, style: { lines: 2 } },
      { head: '服務', widthMm: 30, of: (parcel) => parcel.service },
      {
        head: '重量',
        widthMm: 18,
        of: (parcel) => (parcel.weightGrams === null ? '' : `${(parcel.weightGrams / 1000).toFixed(2)} kg`),
        style: { align: 'right' },
      },
      {
        head: '代收',
        widthMm: 28,
        of: (parcel) => (parcel.amountDueMinor > 0 ? money(parcel.amountDueMinor, parcel.currency) : ''),
        style: { align: 'right' },
      },
    ],
    rows: list.parcels,
    foot: ['司機簽名　____________________　　日期時間　____________________', '交寄人　____________________'],
    now,
  })
