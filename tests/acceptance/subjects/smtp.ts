import type { Notice } from '../../../connectors/kit/types.ts'
import { startSmtpServer } from '../../harness/smtpServer.ts'
import type { Subject } from '../subject.ts'

const ACCOUNT = { user: 'shop', password: 'acceptance-smtp-password' }

const notice: Notice = {
  key: 'o-1-u1-p1:delivered',
  to: { email: 'chen.acceptance@example.com', lineUserId: null, phone: null, name: '陳電郵' },
  template: 'delivered',
  subject: '訂單 A-1 已送達',
  text: '陳電郵 您好：\n您的訂單 A-1 已送達。',
}

export const subject: Subject = {
  name: 'smtp',
  async stage() {
    const server = await startSmtpServer(ACCOUNT)
    return {
      config: { ...ACCOUNT, host: '127.0.0.1', port: server.port, security: 'none', from: 'shop@example.com', timeoutMs: 3_000 },
      secrets: [ACCOUNT.password],
      personalData: ['chen.acceptance@example.com', '陳電郵'],
      faults: null,
      bad: [
        { name: 'a wrong password', config: { password: 'wrong' }, says: /user and password/ },
        { name: 'no server', config: { port: 9 }, says: /host and port/ },
        { name: 'in the clear to another machine', config: { host: 'mail.example.com' }, says: /this machine only/ },
      ],
      writes: [
        {
          name: 'notify.send',
          request: { path: '' },
          run: (ctx, { notify }) => notify!.send(ctx, notice),
          // As a mail box that drops repeats of a Message-ID counts.
          effects: server.distinct,
          loseAnswer: server.loseNextAnswer,
        },
      ],
      stop: server.stop,
    }
  },
}
