/** The files with which a connector begins: one that checks its key, a stand-in that takes only that key, and what examines both. */

export interface Scaffold {
  /** Path below the clone, and text. */
  files: Record<string, string>
  importLine: string
  entry: string
}

const camel = (name: string) => name.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase())
const pascal = (name: string) => camel(name).replace(/^\w/, (letter) => letter.toUpperCase())

const config = (
  name: string,
  type: string,
) => `/** Configuration of one ${name} account. Each description becomes a row of docs/connectors/${name}.md. */
import { z } from 'zod'
import { Limits } from '../kit/limits.ts'

export const ${type}Config = z.strictObject({
  baseUrl: z.url().describe('Address of the API, without a path at its end.'),
  apiKey: z.string().min(1).describe('Sent as a bearer token.'),
  quota: Limits.optional().describe('Requests a second, burst, concurrency, waiting time and time limit.'),
})
export type ${type}Config = z.infer<typeof ${type}Config>

export const secretFields = ['apiKey'] as const
`

const api = (
  name: string,
  type: string,
) => `/** The calls of ${name}, in pairs: \`xRequest\` says what to send, \`parseX\` reads the answer. No I/O. */
import { z } from 'zod'
import { urlOf, type Call } from '../kit/call.ts'
import { readShape } from '../kit/json.ts'
import type { ${type}Config } from './config.ts'

type Account = Pick<${type}Config, 'baseUrl' | 'apiKey'>
const headers = ({ apiKey }: Account) => ({ authorization: \`Bearer \${apiKey}\`, accept: 'application/json' })

export const accountRequest = (account: Account): Call => ({
  what: '${name} account',
  method: 'GET',
  url: urlOf(account.baseUrl, '/account'),
  headers: headers(account),
})
const AccountAnswer = z.object({ id: z.string() })
export const parseAccount = (json: unknown): { id: string } => readShape(AccountAnswer, json, '${name} account')
`

const index = (name: string, variable: string, type: string) => `/** ${name}: what it is, and where its documents are. */
import { callJson, checkBy } from '../kit/call.ts'
import type { Connector } from '../kit/types.ts'
import { accountRequest, parseAccount } from './api.ts'
import { ${type}Config, secretFields } from './config.ts'

export const ${variable}: Connector<${type}Config> = {
  name: '${name}',
  title: '${name}',
  kind: 'shop',
  configSchema: ${type}Config,
  secretFields,
  check: (ctx) => checkBy(async () => parseAccount(await callJson(ctx, accountRequest(ctx.connection.config)))),
}
`

const simulator = (
  name: string,
  type: string,
) => `/** A stand-in for ${name}, written from the vendor's documents and not from our client. Loopback only. */
import { startSimServer, type SimServer } from '../kit/server.ts'

export interface ${type}Simulator extends SimServer {
  apiKey: string
  /** The next request is answered 401. */
  expireKey(): void
}

export async function start${type}Simulator(): Promise<${type}Simulator> {
  const apiKey = '${name}-key-of-the-stand-in'
  let expired = false
  const server = await startSimServer({
    handle(request) {
      if (expired || request.headers.authorization !== \`Bearer \${apiKey}\`) {
        expired = false
        return { status: 401, body: { error: 'unauthorised' } }
      }
      if (request.method === 'GET' && request.path === '/account') return { body: { id: 'account-1' } }
      return { status: 404, body: { error: 'not found' } }
    },
    refuse: (fault) => ({ status: fault.status ?? 422, body: { error: fault.code ?? 'refused', message: fault.message } }),
  })
  return {
    ...server,
    apiKey,
    expireKey: () => {
      expired = true
    },
  }
}
`

const subject = (name: string, type: string) => `import { callJson } from '../../../connectors/kit/call.ts'
import { accountRequest } from '../../../connectors/${name}/api.ts'
import { ${type}Config } from '../../../connectors/${name}/config.ts'
import { start${type}Simulator } from '../../../simulators/${name}/index.ts'
import type { Subject } from '../subject.ts'

export const subject: Subject = {
  name: '${name}',
  async stage() {
    const sim = await start${type}Simulator()
    return {
      config: { baseUrl: sim.url, apiKey: sim.apiKey },
      secrets: [sim.apiKey],
      personalData: [],
      faults: sim.faults,
      bad: [
        { name: 'a wrong key', config: { apiKey: 'wrong' }, says: /credentials/ },
        { name: 'no address', config: { baseUrl: 'nowhere' }, says: /baseUrl/ },
        { name: 'a key with a slip', config: { apiKeys: 'two' }, says: /apiKeys/ },
      ],
      read: {
        run: (ctx) => callJson(ctx, accountRequest(${type}Config.parse(ctx.connection.config))),
        request: { path: '/account' },
      },
      expireToken: { expire: sim.expireKey, refreshes: false },
      stop: sim.stop,
    }
  },
}
`

const unitTest = (name: string) => `import { expect, test } from 'vitest'
import { accountRequest, parseAccount } from '../../connectors/${name}/api.ts'

const account = { baseUrl: 'https://api.example/v1/', apiKey: 'k' }

test('accountRequest asks for the account with the key as a bearer token', () => {
  expect(accountRequest(account)).toMatchObject({
    method: 'GET',
    url: 'https://api.example/v1/account',
    headers: { authorization: 'Bearer k' },
  })
})

test('parseAccount names the field that is not as documented', () => {
  expect(parseAccount({ id: 'a', more: 1 })).toEqual({ id: 'a' })
  expect(() => parseAccount({ id: 1 })).toThrow(/${name} account: answer not understood at id/)
})
`

const page = (name: string) => `# ${name}

What the system is, and where its documents are.

| | |
|---|---|
| Certain | what was seen in the vendor's documents, a live system, an SDK |
| Uncertain | what was not |
| Left out | what the vendor offers and nobody here uses, or what is known too thinly |
| Tested against | what, and with which version |

## Configuration

<!-- config:${name} -->
<!-- /config -->

\`\`\`json
{ "connections": [{ "name": "${name}-main", "connector": "${name}",
  "config": { "baseUrl": "https://api.example", "apiKey": "\${${name.replaceAll('-', '_').toUpperCase()}_API_KEY}" } }] }
\`\`\`
`

export function scaffold(name: string): Scaffold {
  const [variable, type] = [camel(name), pascal(name)]
  return {
    files: {
      [`connectors/${name}/config.ts`]: config(name, type),
      [`connectors/${name}/api.ts`]: api(name, type),
      [`connectors/${name}/index.ts`]: index(name, variable, type),
      [`simulators/${name}/index.ts`]: simulator(name, type),
      [`tests/acceptance/subjects/${name}.ts`]: subject(name, type),
      [`tests/unit/${name}.test.ts`]: unitTest(name),
      [`docs/connectors/${name}.md`]: page(name),
    },
    importLine: `import { ${variable} } from './${name}/index.ts'`,
    entry: variable === name ? `  ${name},` : `  '${name}': ${variable},`,
  }
}

const byName = (a: string, b: string) => (a.replaceAll("'", '') < b.replaceAll("'", '') ? -1 : 1)

/** Both lines at their alphabetical place. @throws RangeError when the registry does not look as it should */
export function register(registry: string, { importLine, entry }: Pick<Scaffold, 'importLine' | 'entry'>): string {
  const lines = registry.split('\n')
  const put = (line: string, isPeer: (line: string) => boolean) => {
    const peers = lines.flatMap((each, at) => (isPeer(each) ? [at] : []))
    const last = peers.at(-1)
    if (last === undefined) throw new RangeError('connectors/registry.ts has no connectors')
    lines.splice(peers.find((at) => byName(line, lines[at] ?? '') < 0) ?? last + 1, 0, line)
  }
  put(entry, (line) => /^ {2}\S.*,$/.test(line))
  const from = (line: string) => /from '\.\/(.*)\//.exec(line)?.[1] ?? ''
  const place = lines.findIndex((line) => line.startsWith('import {') && from(line) > from(importLine))
  const after = lines.findLastIndex((line) => line.startsWith('import {')) + 1
  lines.splice(place < 0 ? after : place, 0, importLine)
  return lines.join('\n')
}
