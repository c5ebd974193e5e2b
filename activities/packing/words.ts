/** What a packer reads: plain words in Chinese and English. */
import type { Handling } from '../../domain/boxes.ts'

export interface Words {
  zh: string
  en: string
}
/** `ok`: go on; `warn`: not taken, nothing changed; `stop`: nothing goes on until it is put right; `done`: the box is closed. */
export type Tone = 'ok' | 'warn' | 'stop' | 'done'
export interface Reply extends Words {
  tone: Tone
}

export const say = (tone: Tone, zh: string, en: string): Reply => ({ tone, zh, en })

export const handlingWords = ({ fragile, temperature }: Handling): Words => {
  const cold = { ambient: null, chilled: ['冷藏', 'chilled'], frozen: ['冷凍', 'frozen'] }[temperature]
  const all = [...(cold ? [cold] : []), ...(fragile ? [['易碎', 'fragile']] : [])]
  return { zh: all.map(([zh]) => zh).join('、'), en: all.map(([, en]) => en).join(', ') }
}
