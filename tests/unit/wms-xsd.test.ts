/**
 * Every file we write is valid by the published schema. No XSD validator comes with npm: this one reads the schema itself and knows the
 * few words it uses (anything else in it fails); libxml2's xmllint agrees, see docs/connectors/wms.md.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import { cancelRequest, labelRequest, waveRequest } from '../../connectors/wms/requests.ts'
import { aWave } from '../acceptance/samples.ts'

interface Element {
  name: string
  attributes: Record<string, string>
  text: string
  children: Element[]
}
function parse(xml: string): Element {
  const top: Element = { name: '', attributes: {}, text: '', children: [] }
  const stack = [top]
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    const element: Element = { name, attributes: attributes as Record<string, string>, text: '', children: [] }
    stack.at(-1)!.children.push(element)
    stack.push(element)
  })
  parser.on('text', (text) => (stack.at(-1)!.text += text))
  parser.on('closetag', () => stack.pop())
  parser.write(xml).close()
  return top.children[0]!
}

const SIMPLE: Record<string, RegExp> = {
  'xs:string': /^[\s\S]*$/,
  'xs:integer': /^[+-]?\d+$/,
  'xs:positiveInteger': /^\+?0*[1-9]\d*$/,
  'xs:nonNegativeInteger': /^\+?\d+$/,
  'xs:dateTime': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/,
}

/** @returns what is wrong, with its place. */
function validate(schema: Element, root: Element): string[] {
  const named = (kind: string, name: string | undefined) =>
    schema.children.find((child) => child.name === kind && child.attributes.name === name)
  const part = (element: Element, name: string) => element.children.find((child) => child.name === name)

  function simple(type: Element | string, text: string, place: string): string[] {
    if (typeof type === 'string') {
      const pattern = SIMPLE[type]
      const own = named('xs:simpleType', type)
      if (own) return simple(own, text, place)
      if (!pattern) throw new Error(`the schema's type ${type} is not known here`)
      return pattern.test(text) ? [] : [`${place}: "${text}" is no ${type}`]
    }
    const restriction = part(type, 'xs:restriction')
    if (!restriction) throw new Error(`${place}: a simple type without restriction`)
    const least = Number(part(restriction, 'xs:minLength')?.attributes.value ?? 0)
    const values = restriction.children.filter(({ name }) => name === 'xs:enumeration').map(({ attributes }) => attributes.value)
    return [
      ...simple(restriction.attributes.base ?? '', text, place),
      ...(text.length < least ? [`${place}: shorter than ${least}`] : []),
      ...(values.length > 0 && !values.includes(text) ? [`${place}: "${text}" is none of ${values.join(', ')}`] : []),
    ]
  }
  function complex(type: Element, element: Element, place: string): string[] {
    const wrong: string[] = element.text.trim() === '' ? [] : [`${place}: holds text`]
    for (const { attributes } of type.children.filter(({ name }) => name === 'xs:attribute')) {
      const given = element.attributes[attributes.name ?? '']
      if (given === undefined ? attributes.use === 'required' : attributes.fixed !== undefined && given !== attributes.fixed)
        wrong.push(`${place}: attribute ${attributes.name}`)
    }
    const sequence = part(type, 'xs:sequence')
    if (!sequence) throw new Error(`${place}: only sequences are known here`)
    const rest = [...element.children]
    for (const wanted of sequence.children) {
      const { name = '', type: typeName, minOccurs = '1', maxOccurs = '1' } = wanted.attributes
      let count = 0
      while (rest[0]?.name === name && (maxOccurs === 'unbounded' || count < Number(maxOccurs))) {
        wrong.push(
          ...judge(
            part(wanted, 'xs:complexType') ?? part(wanted, 'xs:simpleType') ?? typeName ?? '',
            rest.shift()!,
            `${place}/${name}`,
          ),
        )
        count += 1
      }
      if (count < Number(minOccurs)) wrong.push(`${place}: ${name} is missing`)
    }
    return [...wrong, ...rest.map(({ name }) => `${place}: ${name} is not expected here`)]
  }
  function judge(type: Element | string, element: Element, place: string): string[] {
    const found = typeof type === 'string' ? (named('xs:complexType', type) ?? type) : type
    return typeof found !== 'string' && found.name === 'xs:complexType'
      ? complex(found, element, place)
      : simple(found, element.text, place)
  }
  const declared = named('xs:element', root.name)
  return declared ? judge(declared.attributes.type ?? declared, root, root.name) : [`${root.name} is not declared`]
}

const schema = parse(readFileSync(new URL('../../connectors/wms/to-warehouse.xsd', import.meta.url), 'utf8'))
const problems = (xml: string) => validate(schema, parse(xml))

describe('to-warehouse.xsd', () => {
  const text = fc.option(fc.string({ unit: 'grapheme' }), { nil: null })
  it('fits every wave, whatever the texts are', () => {
    const [unit] = aWave().units
    if (!unit) throw new Error('no unit')
    fc.assert(
      fc.property(
        text,
        text,
        text,
        text,
        fc.integer(),
        fc.integer({ min: 1, max: 99 }),
        (notes, name, phone, sku, priority, quantity) => {
          const lines = [{ lineId: '1', sku: sku || 'S', name, quantity }]
          const recipient = { name, phone, postalCode: null, address: notes }
          const { content } = waveRequest(
            aWave({ units: [unit, { ...unit, notes, askedTime: phone, priority, recipient, lines }] }),
          )
          expect(problems(content)).toEqual([])
        },
      ),
      { numRuns: 200 },
    )
  })
  it('fits cancellations and labels', () => {
    fc.assert(
      fc.property(text, fc.nat(), (words, amountDueMinor) => {
        const label = { unitId: 'u', waybill: '900', courier: 'TCAT', amountDueMinor, notes: words, key: 'k' }
        expect(problems(labelRequest(label).content)).toEqual([])
        expect(problems(cancelRequest({ unitId: 'u', reason: words ?? '', key: 'k' }).content)).toEqual([])
      }),
    )
  })
  it.each([
    ['a missing element', (xml: string) => xml.replace(/<Sku>.*<\/Sku>/, ''), /Sku is missing/],
    ['another order', (xml: string) => xml.replace(/(<WaveId>.*<\/WaveId>)\s*(<Location>.*<\/Location>)/, '$2$1'), /WaveId/],
    ['no pieces', (xml: string) => xml.replace('<Quantity>2<', '<Quantity>0<'), /positiveInteger/],
    ['an element of nobody', (xml: string) => xml.replace('<Lines>', '<Colour>red</Colour><Lines>'), /Colour is not expected/],
    ['another format', (xml: string) => xml.replace('format="1"', 'format="2"'), /attribute format/],
    ['an empty text', (xml: string) => xml.replace(/<Name>.*?<\/Name>/, '<Name></Name>'), /shorter/],
  ])('does not fit %s', (_what, damage, says) => {
    const xml = waveRequest(aWave()).content
    expect(damage(xml)).not.toBe(xml)
    expect(problems(damage(xml)).join('\n')).toMatch(says)
  })
})
