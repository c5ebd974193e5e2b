/** appointments, and what people do with one. */
import { arriveAt, cancelAppointment, moveAppointment } from '../../activities/store/appointments.ts'
import { listAppointments, type Appointment, type AppointmentState } from '../../store/appointments.ts'
import type { ExitCode } from '../exit.ts'
import { localTime, print, printJson, table, type Column } from '../output/text.ts'
import { withRuntime } from '../session.ts'

const COLUMNS: Column<Appointment>[] = [
  { title: 'ID', of: (row) => row.id },
  { title: 'STORE', of: (row) => row.location },
  { title: 'TIME', of: (row) => localTime(row.startsAt) },
  { title: 'KIND', of: (row) => row.kind },
  { title: 'STATE', of: (row) => row.state },
  { title: 'ORDER', of: (row) => row.orderId ?? '' },
  { title: 'CUSTOMER', of: (row) => row.customer.name ?? '' },
]

const show = (found: Appointment[], json: boolean | undefined) => {
  if (json) printJson({ appointments: found })
  else print(found.length === 0 ? 'There are no appointments.' : table(found, COLUMNS))
}

export interface AppointmentsOptions {
  location?: string
  state?: AppointmentState
  json?: boolean
}

export async function appointments({ json, ...filter }: AppointmentsOptions): Promise<ExitCode> {
  show(await withRuntime(({ pool }) => listAppointments(pool, filter)), json)
  return 0
}

export async function change(
  id: string,
  what: 'arrived' | 'cancel' | { location?: string; startsAt: string },
  { json }: { json?: boolean },
): Promise<ExitCode> {
  const now = await withRuntime((runtime) =>
    what === 'arrived'
      ? arriveAt(runtime, id)
      : what === 'cancel'
        ? cancelAppointment(runtime, id)
        : moveAppointment(runtime, id, what),
  )
  show([now], json)
  return 0
}
