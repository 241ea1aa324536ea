import { h } from './dom'
import type { Marks } from './md'

const QUOTE = /^\s{0,3}>\s?/
const cells = (row: string) => row.trim().replace(/^\||\|$/g, '').split('|')

/** The Markdown blocks that few answers have: rules, quotes, tables. See `Marks`. */
export const rich: Marks['rich'] = (lines, i, flush, to, depth, { inline, block }, x) => {
  const t = lines[i].trim()
  if (/^([-*_])(\s?\1){2,}$/.test(t)) {
    flush()
    h('hr', '', to)
    return i + 1
  }
  if (depth < 5 && QUOTE.test(lines[i])) {
    flush()
    const inner = []
    while (i < lines.length && QUOTE.test(lines[i])) inner[inner.length] = lines[i++].replace(QUOTE, '')
    block(inner, h('blockquote', '', to), x, depth + 1)
    return i
  }
  const rule = lines[i + 1] || ''
  if (t.indexOf('|') < 0 || rule.indexOf('|') < 0 || !/^[\s|:-]*-[\s|:-]*$/.test(rule)) return i
  flush()
  const box = h('div', 'tb', to)
  box.tabIndex = 0
  const table = h('table', '', box)
  const align = cells(rule)
  for (let n = 0; i < lines.length && lines[i].indexOf('|') >= 0; i += n++ ? 1 : 2) {
    const tr = h('tr', '', table)
    const c = cells(lines[i])
    for (let k = 0; k < align.length && k < 20; k++) inline((c[k] || '').trim(), h(n ? 'td' : 'th', /:\s*$/.test(align[k]) ? 'end' : '', tr), x)
  }
  return i
}
