import { describe, expect, test } from 'vitest'
import { md, safeUrl, stableEnd } from '../src/md'
import { rich } from '../src/rich'

const html = (s: string, own: (u: string) => string = () => "") => {
  const d = document.createElement('div')
  md(s, d, { own, rich })
  return d.innerHTML.replace(/ rel="[^"]*" target="_blank"/g, '')
}

describe('Markdown', () => {
  test.each([
    ['plain', '<p>plain</p>'],
    ['a\nb\n\nc', '<p>a<br>b</p><p>c</p>'],
    ['**b** *i* _i_ __b__ ~~s~~ `c`', '<p><strong>b</strong> <em>i</em> <em>i</em> <strong>b</strong> <s>s</s> <code>c</code></p>'],
    ['*** and ***, then **bold**.', '<p>*** and ***, then <strong>bold</strong>.</p>'],
    ['***********. And ****** too', '<p>***********. And ****** too</p>'],
    ['你的***号码和***', '<p>你的***号码和***</p>'],
    ['***one** more', '<p>***one** more</p>'],
    ['***both***', '<p><strong><em>both</em></strong></p>'],
    ['**bold with *em* inside**', '<p><strong>bold with <em>em</em> inside</strong></p>'],
    ['中文**加粗**字', '<p>中文<strong>加粗</strong>字</p>'],
    ['snake_case_name and 2 * 3 * 4', '<p>snake_case_name and 2 * 3 * 4</p>'],
    ['open **and never closed', '<p>open **and never closed</p>'],
    ['\\*not\\* \\_em\\_', '<p>*not* _em_</p>'],
    ['`` a`b ``', '<p><code>a`b</code></p>'],
    ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['- a\n  - b\n    - c\n- d', '<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>'],
    ['3. a\n4. b', '<ol start="3"><li>a</li><li>b</li></ol>'],
    ['1. a\n\n2. b', '<ol><li>a</li><li>b</li></ol>'],
    ['- a\n\n  second\n- b', '<ul><li>a<p>second</p></li><li>b</li></ul>'],
    ['- a\n1. b', '<ul><li>a</li></ul><ol><li>b</li></ol>'],
    ['- a\n\nafter', '<ul><li>a</li></ul><p>after</p>'],
    ['> q\n> r\n\nx', '<blockquote><p>q<br>r</p></blockquote><p>x</p>'],
    ['# Title ', '<p class="h">Title</p>'],
    ['---', '<hr>'],
    ['```js\na < b\n\n**x**\n```\nend', '<pre><code>a &lt; b\n\n**x**</code></pre><p>end</p>'],
    ['```\nnever closed', '<pre><code>never closed</code></pre>'],
    ['| a | b |\n|---|--:|\n| 1 | **2** |\nend', '<div class="tb" tabindex="0"><table><tr><th class="">a</th><th class="end">b</th></tr><tr><td>1</td><td class="end"><strong>2</strong></td></tr></table></div><p>end</p>'.replace(' class=""', '')],
    ['a | b', '<p>a | b</p>'],
    ['[t](https://x.example/a)', '<p><a href="https://x.example/a">t</a></p>'],
    ['[**t**](tel:+4912)', '<p><a href="tel:+4912">t</a></p>'],
    ['[https://a.example](https://b.example)', '<p><a href="https://b.example">https://a.example</a></p>'],
    ['see https://x.example/a_b_c.', '<p>see <a href="https://x.example/a_b_c">https://x.example/a_b_c</a>.</p>'],
    ['<https://x.example>', '<p><a href="https://x.example">https://x.example</a></p>'],
    ['[t](javascript:alert(1))', '<p>t (javascript:alert(1))</p>'],
    ['![p](https://evil.example/x.png)', '<p><a href="https://evil.example/x.png">p</a></p>'],
    ['<b onclick=x>', '<p>&lt;b onclick=x&gt;</p>'],
  ])('%j', (text, want) => {
    expect(html(text)).toBe(want)
  })

  test('own pictures are shown, foreign ones are links', () => {
    const own = (u: string) => (u.startsWith('/v1/files/') ? 'https://chat.example' + u : '')
    expect(html('![p](/v1/files/1)', own)).toBe('<p><a href="https://chat.example/v1/files/1"><img alt="p" src="https://chat.example/v1/files/1"></a></p>')
    expect(html('[p](/v1/files/1)', own)).toBe('<p><a href="https://chat.example/v1/files/1">p</a></p>')
    expect(html('[p](/v1/other/1)', own)).toBe('<p>p (/v1/other/1)</p>')
  })

  test('only four schemes may be linked', () => {
    for (const u of ['https://a', 'http://a', 'mailto:a@b', 'tel:1', 'HTTPS://A']) expect(safeUrl(u)).toBe(u)
    for (const u of ['javascript:1', 'java\nscript:1', ' https://a', 'data:x', 'vbscript:x', '//a', '/a', 'https://a b', 'https://a"x', 'ftp://a', 'https://a\u0000', '']) expect(safeUrl(u)).toBe('')
  })

  test('fuzz: never throws, never makes what is not on the list, keeps the words, stays fast', () => {
    let seed = 7
    const rnd = (n: number) => (seed = (seed * 48271) % 2147483647) % n
    const bits = ['*', '**', '_', '__', '~~', '`', '```', '[', ']', '(', ')', '!', '<', '>', '|', '-', '- ', '1. ', '# ', '\n', '\n\n', '  ', '\\', 'https://a.b/c', 'javascript:x', 'word', '中文', '"', "'", '&lt;', '<script>', '|---|', '\u0000', '\u202e', '😀']
    const ok = /^(P|STRONG|EM|S|CODE|PRE|A|BR|UL|OL|LI|TABLE|TR|TD|TH|DIV|BLOCKQUOTE|HR)$/
    for (let n = 0; n < 4000; n++) {
      let s = ''
      for (let i = rnd(40); i >= 0; i--) s += bits[rnd(bits.length)]
      const d = document.createElement('div')
      md(s, d)
      for (const e of d.querySelectorAll('*')) {
        expect(e.tagName).toMatch(ok)
        if (e.tagName === 'A') expect(e.getAttribute('href')).toMatch(/^(https?:|mailto:|tel:)/i)
        for (const a of e.attributes) expect(a.name).toMatch(/^(class|href|rel|target|start|tabindex)$/)
      }
      const words = (t: string) => (t.match(/word|中文|😀/g) || []).length
      // A fence keeps the rest of its first line to itself: the language's name.
      if (!/```|~~~/.test(s)) expect(words(d.textContent!)).toBe(words(s.replace(/\|\s*$/gm, '|')) - lostCells(s))
    }
  })

  test('pathological texts are linear enough', () => {
    for (const bit of ['**a ', '[', '[a](', '`', '_a', '<', '> ', '- ', '| ', '# ', '*a ', '~~a', '```', ' ', '\n', 'https://a.', '[a](b"']) {
      const d = document.createElement('div')
      const began = performance.now()
      md(bit.repeat(100_000 / bit.length), d)
      // Quadratic work would take minutes, not seconds.
      expect(performance.now() - began, JSON.stringify(bit)).toBeLessThan(8_000)
    }
  }, 120_000)

  test('a growing text is cut only where nothing will change any more', () => {
    const text = 'First.\n\nSecond **b**.\n\n```\ncode\n\nmore\n```\n\nThird\n\n- a\n\n- b\n\nEnd'
    for (let n = 0; n <= text.length; n++) {
      const s = text.slice(0, n)
      const cut = stableEnd(s, 0)
      expect(html(text.slice(0, cut)) + html(text.slice(cut))).toBe(html(text))
    }
    expect(stableEnd('a\n\nb', 0)).toBe(3)
    expect(stableEnd('a\n\n- b', 0)).toBe(0)
    expect(stableEnd('```\na\n\nb', 0)).toBe(0)
  })
})

/** Tables drop cells beyond their width, as tables do; such texts are not counted. */
function lostCells(s: string): number {
  const d = document.createElement('div')
  md(s, d)
  const words = (t: string) => (t.match(/word|中文|😀/g) || []).length
  return d.querySelector('table') ? words(s) - words(d.textContent!) : 0
}
