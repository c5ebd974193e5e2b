/**
 * The bare saga: the shape of a prepaid home delivery (six steps, the warehouse's answer, two steps, the booking, the courier's last
 * report, two steps) with activities that do nothing. Same batches of local activities, same activity, same signals, no timer.
 */
import { condition, defineSignal, proxyActivities, proxyLocalActivities, setHandler } from '@temporalio/workflow'

export interface BareSteps {
  step(orderId: string, name: string): Promise<null>
}
export interface BareCourier {
  bookNothing(orderId: string): Promise<null>
}

const { step } = proxyLocalActivities<BareSteps>({
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '8 seconds',
  retry: { maximumAttempts: 4 },
})
const doorbell = defineSignal('doorbell')

export async function bare(orderId: string, courierQueue: string): Promise<void> {
  let rung = 0
  setHandler(doorbell, () => {
    rung++
  })
  for (const name of ['begin', 'check', 'reserve', 'confirm', 'route', 'queueForWave']) await step(orderId, name)
  await condition(() => rung === 1)
  for (const name of ['look', 'intendParcel']) await step(orderId, name)
  await proxyActivities<BareCourier>({ taskQueue: courierQueue, startToCloseTimeout: '90 seconds' }).bookNothing(orderId)
  await step(orderId, 'booked')
  await condition(() => rung === 2)
  for (const name of ['look', 'close']) await step(orderId, name)
}
