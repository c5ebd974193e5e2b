import { fileOrder, RECIPIENT } from '../samples.ts'
import type { Subject } from '../subject.ts'

export const subject: Subject = {
  name: 'file',
  stage: async () => ({
    config: { channel: 'momo', shop: 'TP001', profile: 'momo' },
    secrets: [],
    personalData: [RECIPIENT.name, RECIPIENT.phone],
    faults: null,
    bad: [{ name: 'no profile', config: { profile: '' }, says: /profile/ }],
    lenient: {
      masked: fileOrder('M-1001'),
      malformed: fileOrder('M-1002', { recipient: { name: RECIPIENT.name, phone: RECIPIENT.phone }, lines: 'none' }),
    },
    stop: async () => undefined,
  }),
}
