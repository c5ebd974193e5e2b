/** What a station shows when it is switched on, or waits for a label. */
import { one, transaction, type Pool } from '../../store/db.ts'
import { onBench } from '../../store/packing.ts'
import type { Bench } from './bench.ts'
import { IDLE, viewOf, type BenchView } from './scan.ts'
import type { Words } from './words.ts'

export interface StationView {
  station: string
  next: Words
  box: BenchView | null
  last: {
    unitId: string
    orderNumber: string
    state: string
    parcel: string | null
    waybill: string | null
    label: string | null
    deliveryNote: string
  } | null
}

export async function stationView(pool: Pool, station: string): Promise<StationView> {
  return await transaction(pool, async (tx) => {
    const open = await onBench<Bench>(tx, station)
    const { rows } = await tx.query<NonNullable<StationView['last']> & { booked: boolean }>(
      `select u.id as "unitId", u.state, p.id as parcel, p.waybill, coalesce(p.state in ('booked', 'shipped', 'delivered'), false) as booked,
         coalesce((select string_agg(m.external_id, ' + ' order by b.id) from units b join orders m on m.id = b.order_id
           where b.shared_box = u.shared_box and b.state <> 'cancelled'), o.external_id) as "orderNumber"
       from stations s join units u on u.id = s.last_unit join orders o on o.id = u.order_id
       left join parcels p on p.unit_id = u.id and p.state not in ('refused', 'void') where s.station = $1`,
      [station],
    )
    const last = rows.length === 0 ? null : one(rows)
    const view = open === null ? { next: IDLE, box: null } : await viewOf(tx, open)
    return {
      station,
      ...view,
      last: last && {
        unitId: last.unitId,
        orderNumber: last.orderNumber,
        state: last.state,
        parcel: last.parcel,
        waybill: last.waybill,
        label: last.booked && last.parcel !== null ? `/api/v1/parcels/${encodeURIComponent(last.parcel)}/label` : null,
        deliveryNote: `/api/v1/units/${encodeURIComponent(last.unitId)}/delivery-note.pdf`,
      },
    }
  })
}
