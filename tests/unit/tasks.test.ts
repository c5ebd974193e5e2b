/** Every task that the code can open: it says what happened and what to do, its actions exist and somebody does them, and the table of kinds says the same. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ACTIONS } from '../../domain/actions.ts'
import { VERBS } from '../../store/commands.ts'
import { root } from '../harness/paths.ts'

interface Opening {
  file: string
  kind: string
  key: string
  text: string
  actions: string[]
}

const sources = ['activities', 'store'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file)),
)

/** From an opening brace to the one that closes it. */
function literalAt(source: string, from: number): string {
  let depth = 0
  for (let at = from; at < source.length; at++) {
    if (source[at] === '{') depth += 1
    if (source[at] === '}' && --depth === 0) return source.slice(from, at + 1)
  }
  throw new Error('a brace is never closed')
}

const field = (text: string, name: string): string =>
  new RegExp(`\\b${name}(?::|,)\\s*([^\\n]*(?:\\n\\s+['\`?:][^\\n]*)*)`).exec(text)?.[1] ?? ''
const quotedIn = (text: string): string[] => [...text.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? '')

/** Literals with a kind, a title and a remedy: those given to openTask, by hand or by a helper. */
const openings: Opening[] = sources.flatMap((file) => {
  const source = readFileSync(join(root, file), 'utf8')
  return [...source.matchAll(/\{\s+kind:/g)].flatMap((match) => {
    const text = literalAt(source, match.index)
    if (!/\btitle\b/.test(text) || !/\bremedy\b/.test(text)) return []
    // Names only: what else stands in a condition is no action. Who is handed its actions names them where it is called.
    const actions = quotedIn(/actions: ([^]*)\}$/.exec(text)?.[1] ?? '').filter((name) => name in ACTIONS)
    return [{ file, text, kind: field(text, 'kind'), key: field(text, 'key'), actions }]
  })
})

test('all of them are found', () => {
  const calls = sources.filter(
    (file) => file !== join('store', 'tasks.ts') && /\bopenTask\(/.test(readFileSync(join(root, file), 'utf8')),
  )
  expect(calls.length).toBeGreaterThan(30)
  const found = new Set(openings.map(({ file }) => file))
  expect(calls.filter((file) => !found.has(file))).toEqual([])
})

test.each(openings.map((opening) => [`${opening.kind} of ${opening.file}`, opening] as const))(
  '%s',
  (_name, { kind, key, text, actions }) => {
    for (const name of ['title', 'detail', 'remedy']) expect(new RegExp(`\\b${name}\\b`).test(text), `${name} is said`).toBe(true)
    if (text.includes('actions: [')) expect(actions, 'something can be done').not.toEqual([])
    for (const action of actions) {
      const isVerb = (VERBS as readonly string[]).includes(action)
      const isSettledApart = /return:|outbox:|inbox:|taskKey/.test(key) || action === 'chooseSku' || action === 'done'
      expect(isVerb || isSettledApart, `${kind}: somebody does ${action}`).toBe(true)
    }
  },
)

test('the table of kinds names each action that its kind offers', () => {
  const rows = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
    .split('\n')
    .filter((row) => row.startsWith('| `'))
  const missing = openings.flatMap(({ kind, actions, file }) => {
    const names = quotedIn(kind).filter((name) => name.includes('.'))
    const mine = rows.filter((row) => names.some((name) => row.split('|')[1]?.includes(`\`${name}\``)))
    const told = mine.map((row) => row.split('|')[3] ?? '').join()
    return [
      ...names.filter((name) => !mine.some((row) => row.includes(`\`${name}\``))).map((name) => `${name} of ${file} has no row`),
      ...(names.length === 0
        ? []
        : actions.filter((action) => !told.includes(action)).map((action) => `${names.join()}: ${action}`)),
    ]
  })
  expect(missing).toEqual([])
})
