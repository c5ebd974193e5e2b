import { sleep } from '@temporalio/workflow'

export async function sleeper(days: number): Promise<number> {
  const before = Date.now()
  await sleep(days * 24 * 60 * 60 * 1000)
  return Date.now() - before
}
