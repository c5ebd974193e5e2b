/** Deliberately another order of steps, to prove that replaying a recorded history can fail. */
import { Saga } from '../../../workflows/order/saga.ts'

export async function order(orderId: string): Promise<void> {
  const saga = await Saga.begin(orderId)
  await saga.do('askConfirmation')
  await saga.do('check')
  await saga.until(() => saga.is('closed'))
}
