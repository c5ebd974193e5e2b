/** Writing XML 1.0: elements only, so that a parser gives every text back as it was. */

/** What XML 1.0 cannot carry, not even escaped (section 2.2, production 2), and halves of surrogate pairs. */
const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu

export const illegalCharacters = (text: string): number => text.match(ILLEGAL)?.length ?? 0

/** Each illegal character becomes U+FFFD. */
export const withoutIllegal = (text: string): string => text.replace(ILLEGAL, '\ufffd')

/** Line ends become \n, as every parser makes them (section 2.11); illegal characters become U+FFFD. */
export const escapeText = (text: string): string =>
  withoutIllegal(text.replace(/\r\n?/g, '\n')).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

export type XmlChild = XmlElement | null
export interface XmlElement {
  name: string
  attributes?: Record<string, string>
  content: string | XmlChild[]
}

/** An element with text; null (leave it out) when there is no text. */
export const text = (name: string, value: string | number | null): XmlChild =>
  value === null || value === '' ? null : { name, content: String(value) }

export const group = (name: string, children: XmlChild[]): XmlElement => ({ name, content: children })

const escapeAttribute = (value: string): string => escapeText(value).replaceAll('"', '&quot;')

function render({ name, attributes = {}, content }: XmlElement, indent: string): string {
  const open = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escapeAttribute(value)}"`)].join(' ')
  if (typeof content === 'string') return `${indent}<${open}>${escapeText(content)}</${name}>\n`
  const children = content.filter((child) => child !== null).map((child) => render(child, `${indent}  `))
  return children.length === 0 ? `${indent}<${open}/>\n` : `${indent}<${open}>\n${children.join('')}${indent}</${name}>\n`
}

export const documentOf = (root: XmlElement): string => `<?xml version="1.0" encoding="UTF-8"?>\n${render(root, '')}`
