import { fileOrder, RECIPIENT } from '../samples.ts'
import type { Subject } from '../subject.ts'

export const subject: Subject = {
  name: 'store',
  stage: async () => ({
    config: { shop: 'taipei', location: 'taipei-store' },
    secrets: [],
    personalData: [RECIPIENT.name, RECIPIENT.phone],
    faults: null,
    bad: [{ name: 'no location', config: { location: '' }, says: /location/ }],
    lenient: {
      masked: fileOrder('S-1001', { fromFile: undefined, kind: 'store' }),
      malformed: fileOrder('S-1002', {
        fromFile: undefined,
        recipient: { name: RECIPIENT.name, phone: RECIPIENT.phone },
        lines: 'none',
      }),
    },
    stop: async () => undefined,
  }),
}
