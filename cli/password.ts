/** Asks for a password on the terminal; nothing of it is shown. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

export async function askPassword(question: string): Promise<string> {
  process.stderr.write(question)
  // The line editor would echo what is typed: it writes into nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const editor = createInterface({ input: process.stdin, output: nowhere, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      editor.once('line', resolve)
      editor.once('SIGINT', () => reject(new Error('no password was given')))
      editor.once('close', () => reject(new Error('no password was given')))
    })
  } finally {
    editor.close()
    process.stderr.write('\n')
  }
}
