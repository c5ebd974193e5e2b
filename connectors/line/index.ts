/** LINE Messaging API: notices to followers of the brand's account. The only file of this folder that does I/O; see docs/connectors/line.md. */
import { OmnisagaError } from '../../domain/errors.ts'
import { checkBy, urlOf } from '../kit/call.ts'
import { jsonOf, refusalOf } from '../kit/json.ts'
import type { Connector, ConnectorContext, HttpRequest, HttpResponse, Notice } from '../kit/types.ts'
import { LineConfig } from './config.ts'
import { isUserId, parsePush, pushRequest } from './push.ts'
import { receiveWebhook } from './webhook.ts'

async function call(ctx: ConnectorContext<LineConfig>, request: HttpRequest): Promise<HttpResponse> {
  try {
    return await ctx.http.request({
      ...request,
      headers: { authorization: `Bearer ${ctx.connection.config.channelAccessToken}`, ...request.headers },
    })
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'AuthExpired') throw error
    // A long-lived token is not renewed by us.
    throw new OmnisagaError('Misconfigured', 'LINE does not accept the channel access token', {
      code: '401',
      remedy: 'Issue a long-lived channel access token in the LINE Developers console and apply it.',
    })
  }
}

/** "Get bot info" proves address and token. */
async function botInfo(ctx: ConnectorContext<LineConfig>): Promise<void> {
  const what = 'LINE GET /v2/bot/info'
  const response = await call(ctx, { method: 'GET', url: urlOf(ctx.connection.config.baseUrl, '/v2/bot/info') })
  if (response.status >= 400) throw refusalOf(response.status, what)
  jsonOf(response, { what })
}

export const line: Connector<LineConfig> = {
  name: 'line',
  title: 'LINE Messaging API',
  kind: 'notify',
  configSchema: LineConfig,
  secretFields: ['channelAccessToken', 'channelSecret'],
  check: (ctx) => checkBy(() => botInfo(ctx)),
  receiveWebhook,
  notify: {
    reaches: (_config: LineConfig, to: Notice['to']) => to.lineUserId !== null && isUserId(to.lineUserId),
    async send(ctx, notice) {
      parsePush(await call(ctx, pushRequest(ctx.connection.config, notice)))
    },
  },
}
