/** Visits to a store: what is free, who comes when. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { arriveAt, bookAppointment, cancelAppointment, moveAppointment } from '../../activities/store/appointments.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { freeSlots, listAppointments, type Appointment } from '../../store/appointments.ts'
import { parsePhone } from '../../mappings/normalise/index.ts'
import { defineRoute, type Route } from '../route.ts'

const isoTime = z.iso.datetime({ offset: true })
const text = (most: number) => z.string().min(1).max(most)
const State = z.enum(['booked', 'late', 'arrived', 'noShow', 'cancelled'])
const Kind = z.enum(['tryOn', 'groupBuy', 'visit'])

const Customer = z.object({
  name: z.string().nullable(),
  phone: z.string().nullable(),
  email: z.string().nullable(),
  lineUserId: z.string().nullable(),
})
const AppointmentSchema = z
  .object({
    id: z.string(),
    location: z.string(),
    startsAt: isoTime,
    endsAt: isoTime,
    kind: Kind,
    orderId: z.string().nullable(),
    campaign: z.string().nullable(),
    customer: Customer,
    notes: z.string().nullable(),
    state: State,
  })
  .meta({ id: 'Appointment' })

const BookRequest = z.strictObject({
  location: text(64),
  startsAt: isoTime.meta({ description: 'The beginning of a free slot.' }),
  kind: Kind.default('visit'),
  orderId: text(200).nullish().meta({ description: 'The try-on it belongs to; an order has one appointment at a time.' }),
  campaign: text(100).nullish().meta({ description: 'The group-buy whose goods are fetched.' }),
  customer: z
    .strictObject({
      name: text(100).nullish(),
      phone: text(40).nullish().meta({ description: 'As written; E.164 in the answer.' }),
      email: z.email().max(200).nullish(),
      lineUserId: text(60).nullish(),
    })
    .default({}),
  notes: text(500).nullish(),
})
const MoveRequest = z.strictObject({ startsAt: isoTime, location: text(64).optional() })
const Id = z.object({ id: text(60) })

const refusals = {
  409: { description: 'Fully booked (the next free ones are named), or too late for it.' },
  422: { description: 'No such store, slot or appointment.' },
}

/** Cancel and arrived: one route but for the word. */
const stateRoute = (word: string, change: (runtime: Runtime, id: string) => Promise<Appointment>, summary: string): Route =>
  defineRoute({
    method: 'POST',
    path: `/api/v1/appointments/{id}/${word}`,
    operationId: `${word}Appointment`,
    summary,
    access: 'key',
    params: Id,
    responses: { 200: { description: 'As it is now.', schema: AppointmentSchema }, ...refusals },
    handle: async ({ runtime, params }) => ({
      status: 200,
      body: await change(runtime, params.id),
    }),
  })

export const appointmentRoutes: Route[] = [
  defineRoute({
    method: 'GET',
    path: '/api/v1/stores/{id}/slots',
    operationId: 'listSlots',
    summary: 'When a store can be visited',
    access: 'key',
    params: Id,
    query: z.strictObject({ date: z.iso.date().meta({ description: "A day of the store's own calendar." }) }),
    responses: {
      200: {
        description: 'The slots of that day, with how many are free.',
        schema: z.object({ slots: z.array(z.object({ startsAt: isoTime, endsAt: isoTime, free: z.int() })) }),
      },
      422: refusals[422],
    },
    handle: async ({ runtime, params, query }) => ({
      status: 200,
      body: { slots: await freeSlots(runtime.pool, params.id, query.date) },
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/appointments',
    operationId: 'listAppointments',
    summary: 'Appointments in order of time, at most 500',
    access: 'key',
    query: z.strictObject({
      location: text(64).optional(),
      from: isoTime.optional(),
      to: isoTime.optional(),
      orderId: text(200).optional(),
      state: State.optional(),
    }),
    responses: { 200: { description: 'Appointments.', schema: z.object({ appointments: z.array(AppointmentSchema) }) } },
    handle: async ({ runtime, query }) => ({ status: 200, body: { appointments: await listAppointments(runtime.pool, query) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/appointments',
    operationId: 'bookAppointment',
    summary: 'Book a slot',
    description: 'An Idempotency-Key header makes sending it twice harmless.',
    access: 'key',
    body: BookRequest,
    responses: { 201: { description: 'Booked.', schema: AppointmentSchema }, ...refusals },
    handle: async ({ runtime, body, request, who }) => {
      const key = request.headers['idempotency-key']
      const { customer } = body
      const appointment = await bookAppointment(runtime, {
        key: typeof key === 'string' ? key : randomUUID(),
        location: body.location,
        startsAt: body.startsAt,
        kind: body.kind,
        orderId: body.orderId ?? null,
        campaign: body.campaign ?? null,
        customer: {
          name: customer.name ?? null,
          phone: customer.phone ? (parsePhone(customer.phone).e164 ?? customer.phone) : null,
          email: customer.email ?? null,
          lineUserId: customer.lineUserId ?? null,
        },
        notes: body.notes ?? null,
        by: who,
      })
      return { status: 201, body: appointment }
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/api/v1/appointments/{id}/move',
    operationId: 'moveAppointment',
    summary: 'Move to another slot, or another store',
    description: 'When the new slot is full, everything stays as it was.',
    access: 'key',
    params: Id,
    body: MoveRequest,
    responses: { 200: { description: 'As it is now.', schema: AppointmentSchema }, ...refusals },
    handle: async ({ runtime, params, body }) => ({
      status: 200,
      body: await moveAppointment(runtime, params.id, body),
    }),
  }),
  stateRoute('cancel', cancelAppointment, 'The customer does not come'),
  stateRoute('arrived', arriveAt, 'The customer is there; so it is for the order'),
]
