/** One small request shows that the token is right; the rest is told from the configuration. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { CheckResult } from '../kit/types.ts'
import { send, type AccountContext } from './api.ts'
import { orderListRequest, type Source } from './pull.ts'

export async function checkAccount(ctx: AccountContext, source: Source): Promise<CheckResult> {
  const problems: CheckResult['problems'] = []
  const { config } = ctx.connection
  if (/[:/]/.test(config.shopDomain))
    problems.push({
      message: 'shopDomain is not the name of a host',
      remedy: 'Give the domain alone, e.g. example.cyberbiz.co, without https:// and path.',
    })
  const to = Math.floor(ctx.now().getTime() / 1000)
  try {
    await send(ctx, orderListRequest({ from: to - 3600, to }, source, 1, 1))
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    problems.push({ message: error.message, remedy: error.remedy ?? "Try again; if it stays, read the vendor's message." })
  }
  return { ok: problems.length === 0, problems }
}
