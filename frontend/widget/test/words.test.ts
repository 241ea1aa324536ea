import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pick } from '../src/lang/pick'
import { contrast, readable, textOn } from '../src/theme'

const src = import.meta.dirname + '/../src/'
const dicts = readdirSync(src + 'lang').filter(f => !/^(en|pick|dict)\.ts$/.test(f))

test('ten dictionaries, each with the same placeholders as the English', () => {
  expect(dicts.length).toBe(10)
  const want: Record<string, string> = { queue: '{n}', over: '{n}', unread: '{n}', kept: '{email}', sendingFile: '{name}', fileFailed: '{name}', fileBig: '{name}{n}', fileKind: '{name}' }
  for (const f of dicts) {
    const text = readFileSync(src + 'lang/' + f, 'utf8')
    for (const [, k, v] of text.matchAll(/^ {2}(\w+): '(.*)',$/gm)) {
      expect([...v.matchAll(/\{\w+\}/g)].map(m => m[0]).sort().join(''), f + ' ' + k).toBe([...(want[k] || '').matchAll(/\{\w+\}/g)].map(m => m[0]).sort().join(''))
      expect(v, f + ' ' + k).not.toMatch(/!|！|¡/)
    }
  }
})

test('every word that a part asks for stands in the dictionaries', () => {
  const zh = readFileSync(src + 'lang/zh-CN.ts', 'utf8')
  for (const f of readdirSync(src + 'parts')) {
    for (const [, k] of readFileSync(src + 'parts/' + f, 'utf8').matchAll(/\bt\('(\w+)'/g)) expect(zh, f).toMatch(new RegExp(`^  ${k}: `, 'm'))
  }
})

test.each([
  ['zh', 'zh-CN'], ['zh-Hans-CN', 'zh-CN'], ['zh-HK', 'zh-TW'], ['zh_TW', 'zh-TW'], ['zh-Hant', 'zh-TW'],
  ['de-AT', 'de'], ['pt-BR', 'pt'], ['ar-EG', 'ar'], ['EN-us', 'en'], ['xx', 'en'],
])('%s is answered in %s', (wanted, got) => expect(pick(wanted)).toBe(got))

test('text reads on every colour of the owner, and accents on every ground', () => {
  for (let r = 0; r < 256; r += 51) for (let g = 0; g < 256; g += 51) for (let b = 0; b < 256; b += 51) {
    const c = '#' + [r, g, b].map(v => v.toString(16).padStart(2, '0')).join('')
    expect(contrast(c, textOn(c))).toBeGreaterThanOrEqual(4.5)
    for (const ground of ['#262422', '#f3f1ee']) expect(contrast(readable(c, ground), ground), c + ' ' + ground).toBeGreaterThanOrEqual(4.5)
  }
  expect(contrast('#000', '#fff')).toBe(21)
})
