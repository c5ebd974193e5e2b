/** Entry of the omnisaga command; bin/omnisaga.mjs loads it. */
import { main } from './program.ts'

// `omnisaga orders | head` closes the pipe early: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

const LINGER_MS = 2_000

process.exitCode = await main(process.argv.slice(2))
// Everything is closed by now; should a handle be left, it must not keep a finished command on the terminal.
setTimeout(() => process.exit(), LINGER_MS).unref()
