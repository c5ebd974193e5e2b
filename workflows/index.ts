/** Everything the worker's bundle holds. */
export { order } from './order/order.ts'
export { pull } from './pull.ts'
