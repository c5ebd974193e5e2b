import type { Notice } from '../../../connectors/kit/types.ts'
import { startLineSimulator } from '../../../simulators/line/index.ts'
import type { Subject } from '../subject.ts'

const ACCOUNT = { channelAccessToken: 'acceptance-line-access-token', channelSecret: 'acceptance-line-channel-secret' }
const USER = 'U4af4980629f4f1b2c3d4e5f60718293a'

const notice: Notice = {
  key: 'o-1-u1-p1:delivered',
  to: { email: null, lineUserId: USER, phone: '+886912345678', name: '陳線上' },
  template: 'delivered',
  subject: '訂單 A-1 已送達',
  text: '陳線上 您好：\n您的訂單 A-1 已送達。',
}

export const subject: Subject = {
  name: 'line',
  async stage() {
    const sim = await startLineSimulator(ACCOUNT)
    return {
      config: { ...ACCOUNT, baseUrl: sim.url },
      secrets: Object.values(ACCOUNT),
      personalData: [USER, '陳線上', '+886912345678'],
      faults: sim.faults,
      bad: [
        { name: 'a wrong token', config: { channelAccessToken: 'wrong' }, says: /channel access token/ },
        { name: 'no address', config: { baseUrl: 'http://127.0.0.1:9' }, says: /no connection|baseUrl/ },
      ],
      writes: [
        {
          name: 'notify.send',
          request: { path: '/v2/bot/message/push', method: 'POST' },
          run: (ctx, { notify }) => notify!.send(ctx, notice),
          effects: () => sim.messages().length,
        },
      ],
      webhook: {
        genuine() {
          const { headers, body } = sim.signedWebhook([sim.event('follow', USER)])
          return { headers, rawBody: Buffer.from(body) }
        },
        records: 1,
        signatureHeader: 'x-line-signature',
        withoutSecret: { channelSecret: null },
        wrongEncoding() {
          const { headers } = sim.signedWebhook([])
          const rawBody = Buffer.from('events=[]')
          return { headers: { ...headers, 'x-line-signature': sim.sign(rawBody) }, rawBody }
        },
      },
      stop: sim.stop,
    }
  },
}
