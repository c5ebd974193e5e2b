/** Waits for Ctrl-C or the supervisor's signal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A second signal, a second later or more, ends the process at once. */
export async function untilAskedToStop(): Promise<void> {
  // A pending promise alone does not keep a process alive.
  const alive = setInterval(() => undefined, 60_000)
  await new Promise<void>((resolve) => {
    let askedAt = 0
    const ask = (): void => {
      if (askedAt > 0 && Date.now() - askedAt > 1_000) process.exit(130)
      askedAt ||= Date.now()
      resolve()
    }
    for (const signal of SIGNALS) process.on(signal, ask)
  })
  clearInterval(alive)
}
