/** Phases in colour: green is done, yellow wants somebody, red went wrong. */
import type { Phase } from '../../domain/order.ts'
import { dim, green, red, yellow } from './text.ts'

const plain = (text: string): string => text
const PAINT: Partial<Record<Phase, (text: string) => string>> = {
  blocked: red,
  waitingStock: yellow,
  confirming: yellow,
  tryOn: yellow,
  delivered: green,
  returned: dim,
  cancelled: dim,
}
export const phasePaint = (phase: Phase): ((text: string) => string) => PAINT[phase] ?? plain
