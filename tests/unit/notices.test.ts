/** Notices to customers: every template has its words in every language, and they are filled in. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { quietForMs } from '../../domain/quietHours.ts'
import { amountText, LANGUAGES, languageFor, noticeText, texts, timeText } from '../../mappings/notices/index.ts'
import { root } from '../harness/paths.ts'

const used = new Set(
  readdirSync(join(root, 'activities'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      [...readFileSync(join(root, 'activities', file), 'utf8').matchAll(/\btemplate:([^,}\n]*)/g)].flatMap(([, value = '']) =>
        [...value.matchAll(/(?<!=== )'(\w+)'/g)].map(([, name = '']) => name),
      ),
    ),
)

describe('a notice', () => {
  it('has words in every language for every template that is used, and none is left over', () => {
    expect(used.size).toBeGreaterThan(8)
    expect([...used].sort()).toEqual(Object.keys(texts).sort())
    for (const [template, words] of Object.entries(texts))
      expect(Object.keys(words).sort(), template).toEqual([...LANGUAGES].sort())
  })

  it('leaves out a line whose value is not known', () => {
    const values = { order: 'A-1', customer: null, courier: 'TCAT', waybill: null }
    expect(noticeText('onItsWay', 'en', values)).toEqual({
      subject: 'Your order A-1 is about to leave',
      text: 'Dear customer,\nyour order A-1 is packed and goes to the courier.\nCourier: TCAT',
    })
    expect(noticeText('onItsWay', 'zh-TW', { ...values, waybill: '900' }).text).toContain('託運單號：900')
  })

  it('does not fill in what a customer is called', () => {
    expect(noticeText('delivered', 'en', { order: '{waybill}', customer: '{order}', waybill: '1' }).text).toBe(
      'Dear {order},\nyour order {waybill} was delivered. Thank you.',
    )
  })

  it('that nobody has written is refused', () => {
    expect(() => noticeText('toString', 'en', {})).toThrow('there is no notice toString')
  })

  it('is Chinese where goods go to Chinese readers, English elsewhere', () => {
    expect([null, 'TW', 'HK', 'US', 'JP'].map(languageFor)).toEqual(['zh-TW', 'zh-TW', 'zh-TW', 'en', 'en'])
  })

  it('tells amounts and times as people write them', () => {
    expect(amountText(159_000, 'TWD')).toBe('NT$1,590')
    expect(amountText(1_250, 'USD')).toBe('USD 12.50')
    expect(timeText('2026-11-22T10:00:00Z', 'Asia/Taipei')).toBe('2026-11-22 18:00')
  })
})

describe('quiet hours', () => {
  const at = (clock: string) => new Date(`2026-11-22T${clock}+08:00`)
  const night = { from: '21:00', to: '09:00' }
  it.each([
    ['20:59:00', 0],
    ['21:00:00', 12 * 60],
    ['23:30:00', 9 * 60 + 30],
    ['08:59:00', 1],
    ['09:00:00', 0],
  ])('at %s one waits %i minutes', (clock, minutes) => {
    expect(quietForMs(at(clock), night, 'Asia/Taipei')).toBe(minutes * 60_000)
  })
  it('end on the minute, and may lie within a day', () => {
    expect(quietForMs(at('08:59:30'), night, 'Asia/Taipei')).toBe(30_000)
    expect(quietForMs(at('13:30:00'), { from: '13:00', to: '14:00' }, 'Asia/Taipei')).toBe(30 * 60_000)
    expect(quietForMs(at('13:30:00'), null, 'Asia/Taipei')).toBe(0)
  })
})
