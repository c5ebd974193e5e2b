/** `--set recipient.phone=0912345678`: the fields of an action, by path. Dots lead into objects, brackets into lists: `lines[0].sku=A-1`. */
import type { Task } from '../store/tasks.ts'
import { Misuse } from './exit.ts'

type Key = string | number
type Node = Record<Key, unknown>

const PATH = /^[^.[\]=]+(?:\.[^.[\]=]+|\[\d{1,3}\])*$/u
const FORBIDDEN = new Set<Key>(['__proto__', 'constructor', 'prototype'])
/** Whole numbers without a leading zero, true, false, null; what starts like a list, an object or a quoted text is read as JSON. */
const LITERAL = /^(true|false|null|-?(0|[1-9]\d{0,8}))$/

function valueOf(text: string): unknown {
  if (!LITERAL.test(text) && !/^[[{"]/.test(text)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text // it only looked like JSON
  }
}

/** @throws Misuse for a pair that is none. */
export function parseSet(pairs: readonly string[]): Record<string, unknown> {
  const root: Node = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, Math.max(0, at))
    if (!PATH.test(name)) throw new Misuse(`--set takes field=value, found '${pair}'`)
    const path: Key[] = [...name.matchAll(/[^.[\]]+/g)].map((part) => (name[part.index - 1] === '[' ? Number(part[0]) : part[0]))
    if (path.some((key) => FORBIDDEN.has(key))) throw new Misuse(`--set cannot set '${name}'`)
    place(root, path, valueOf(pair.slice(at + 1)), pair)
  }
  return root
}

function place(root: Node, path: Key[], value: unknown, pair: string): void {
  let node = root
  for (const [index, key] of path.slice(0, -1).entries()) {
    const inner: unknown = (node[key] ??= typeof path[index + 1] === 'number' ? [] : {})
    if (typeof inner !== 'object' || inner === null)
      throw new Misuse(`--set '${pair}' goes below a field that has a value already`)
    fill(node)
    node = inner as Node
  }
  node[path.at(-1) ?? ''] = value
  fill(node)
}

/** Lists have no holes: a place that is not named says nothing. */
function fill(list: unknown): void {
  if (Array.isArray(list)) for (let index = 0; index < list.length; index++) list[index] ??= {}
}

/** Groups are told by the fields within that are usually meant. */
const changeHint = (field: string | null): string[] => {
  switch (field) {
    case null:
    case 'lines':
      return ['FIELD=VALUE']
    case 'recipient':
    case 'recipient.address':
      return ['recipient.name=NAME', 'recipient.phone=PHONE', 'recipient.address=ADDRESS']
    case 'delivery':
    case 'delivery.cvs':
      return ['delivery.cvs.chain=CHAIN', 'delivery.cvs.storeId=STORE']
    case 'customs':
      return ['customs.invoiceNumber=NUMBER', 'customs.hsCodes=["CODE"]']
    default:
      return [`${field}=VALUE`]
  }
}

/** What an action of this task needs to be told, with places to fill in. */
export function setHint(task: Pick<Task, 'field' | 'value'>, action: string): string[] {
  switch (action) {
    case 'decide':
      return (task.field === 'keep' && task.value ? task.value.split(',') : ['LINE']).map((line) => `keep.${line}=QTY`)
    case 'refund':
      return task.value === null ? ['amountMinor=AMOUNT'] : []
    case 'cancel':
      return ['reason=WHY']
    case 'chooseSku':
      return ['sku=SKU']
    case 'change':
      return changeHint(task.field)
    case 'packed':
      return task.field === 'unit' && task.value !== null ? [`unitId=${task.value}`] : []
    default:
      return []
  }
}
