/** ECPay's CheckMacValue as its documentation tells it; written apart from the client, so that a shared mistake shows. */
import { createHash } from 'node:crypto'

/** PHP's urlencode, then lower case, then the characters .NET leaves alone. */
function phpUrlencodeLower(text: string): string {
  let out = ''
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte)
    if (/[A-Za-z0-9\-_.]/.test(char)) out += char
    else if (char === ' ') out += '+'
    else out += `%${byte.toString(16).padStart(2, '0')}`
  }
  const lower = out.toLowerCase()
  return lower.replaceAll('%21', '!').replaceAll('%2a', '*').replaceAll('%28', '(').replaceAll('%29', ')')
}

export function macOf(fields: Record<string, string>, hashKey: string, hashIv: string): string {
  const names = Object.keys(fields).filter((name) => name !== 'CheckMacValue')
  names.sort((a, b) => Buffer.compare(Buffer.from(a.toLowerCase()), Buffer.from(b.toLowerCase())))
  let text = `HashKey=${hashKey}`
  for (const name of names) text += `&${name}=${fields[name] ?? ''}`
  text += `&HashIV=${hashIv}`
  return createHash('md5').update(phpUrlencodeLower(text)).digest('hex').toUpperCase()
}
