// @vitest-environment jsdom
import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { wordsOf } from '../../src/lib/words';
import Markdown from '../../src/ui/Markdown.svelte';
import './setup';

const shown = () => document.querySelector<HTMLElement>('.md')!;
/** What stands there, without what only holds it together. */
const html = () => shown().innerHTML.replace(/<!---->| rel="[^"]*" target="_blank"/g, '').replace(/<div>|<\/div>/g, '');

afterEach(() => {
  delete window.runtime;
});

describe('an answer', () => {
  it.each([
    ['plain', '<p>plain</p>'],
    ['a\nb\n\nc', '<p>a<br>b</p><p>c</p>'],
    ['**b** *i* ~~s~~ `c`', '<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>'],
    ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['3. a\n4. b', '<ol start="3"><li>a</li><li>b</li></ol>'],
    ['> q', '<blockquote><p>q</p></blockquote>'],
    ['[t](https://x.example/a)', '<p><a href="https://x.example/a">t</a></p>'],
    ['see mailto:a@b.example.', '<p>see <a href="mailto:a@b.example">mailto:a@b.example</a>.</p>'],
    ['```js\na < b\n```', '<pre><code>a &lt; b</code></pre>'],
    ['1 * 2 * 3 and snake_case_name', '<p>1 * 2 * 3 and snake_case_name</p>'],
  ])('%j', (text, want) => {
    render(Markdown, { text });
    expect(html()).toBe(want);
  });

  // Collections of what has got through elsewhere: https://owasp.org/www-community/xss-filter-evasion-cheatsheet
  const hostile = [
    '<img src=x onerror=alert(1)>', '<script>alert(1)</script>', '<svg/onload=alert(1)>', '<iframe src="javascript:alert(1)">', '<a href="javascript:alert(1)">x</a>',
    '[x](javascript:alert(1))', '[x](JaVaScRiPt:alert(1))', '[x](java\nscript:alert(1))', '[x](java\tscript:alert(1))', '[x]( javascript:alert(1))', '[x](\u0001javascript:alert(1))', '[x](&#106;avascript:alert(1))',
    '[x](data:text/html;base64,PHNjcmlwdD4=)', '[x](vbscript:msgbox(1))', '[x](file:///etc/passwd)', '[x](//evil.example)', '[x](/api/admin/v1/keys)', '[x](blob:https://a/b)', '[x](wails://wails/)', '[x](https://a"onmouseover="alert(1))', '[x](https://a\'onclick=\'1)',
    '![x](javascript:alert(1))', '![x](https://evil.example/spy.png)', '![x" onerror="alert(1)](https://evil.example/a.png)', '<javascript:alert(1)>', '<https://a.example/"><img src=x onerror=alert(1)>', '<https://a.example onclick=alert(1)>',
    '`<img src=x onerror=alert(1)>`', '```html\n<script>alert(1)</script>\n```', '| <b>a</b> | b |\n|---|---|\n| <img src=x onerror=1> | [x](javascript:1) |', '> <iframe srcdoc="<script>1</script>">', '# <object data="x">', '- <style>*{display:none}</style>', '**<b onclick=1>x</b>**', '[<img src=x onerror=1>](https://a.example)',
    '[a](https://ok.example "t" onclick=1)', '\\<script>', '\u202ehttps://a.example', '[x](https://a.example\u0000)', '[x](mailto:a@b?body=<script>)', '<!--<img src=x>-->', '<math><mi xlink:href="javascript:1">', '{@html x} {{constructor}} ${1}',
  ];
  const tags = /^(P|STRONG|EM|S|CODE|PRE|A|BR|UL|OL|LI|TABLE|TR|TD|TH|DIV|BLOCKQUOTE|HR|TBODY)$/;
  function harmless() {
    for (const e of shown().querySelectorAll('*')) {
      expect(e.tagName).toMatch(tags);
      for (const a of e.attributes) expect(a.name).toMatch(/^(class|href|rel|target|start|tabindex)$/);
      if (e.tagName === 'A') expect(e.getAttribute('href')).toMatch(/^(https?:\/\/|mailto:|tel:)[^\s"<>]+$/i);
    }
  }
  it('is never more than words, lists, code and links, whatever a model was talked into', () => {
    for (const text of hostile) {
      const { unmount } = render(Markdown, { text });
      harmless();
      unmount();
    }
  });
  it('is harmless at every moment of its growth, and ends as if it had come whole', async () => {
    for (const text of hostile.map((bad) => `First **${bad}**\n\n${bad}\n\n- ${bad}\n\nEnd`)) {
      const { rerender, unmount } = render(Markdown, { text: '', growing: true });
      for (let n = 7; n < text.length; n += 7) {
        await rerender({ text: text.slice(0, n), growing: true });
        harmless();
      }
      await rerender({ text, growing: false });
      const grown = html();
      unmount();
      const whole = render(Markdown, { text });
      expect(grown).toBe(html());
      whole.unmount();
    }
  });
  it('leaves alone what was read already while it grows', async () => {
    const { rerender } = render(Markdown, { text: 'First **part**.\n\nSec', growing: true });
    const first = shown().querySelector('p')!;
    await rerender({ text: 'First **part**.\n\nSecond part with more', growing: true });
    expect(shown().querySelector('p')).toBe(first);
    await rerender({ text: 'First **part**.\n\nSecond part with more.\n\nThird', growing: true });
    expect(shown().querySelector('p')).toBe(first);
    expect(html()).toBe('<p>First <strong>part</strong>.</p><p>Second part with more.</p><p>Third</p>');
    await rerender({ text: 'Another answer', growing: true }); // taken back and begun anew
    expect(html()).toBe('<p>Another answer</p>');
  });
  it('opens its links in the real browser, and nowhere else', async () => {
    const opened = vi.fn();
    window.runtime = { BrowserOpenURL: opened };
    render(Markdown, { text: '[the shop](https://shop.example/tea) and [no](javascript:alert(1))' });
    const went = await fireEvent.click(screen.getByText('the shop'));
    expect(went).toBe(false); // the page itself stays where it is
    expect(opened.mock.calls).toEqual([['https://shop.example/tea']]);
    await fireEvent.click(screen.getByText(/no \(javascript/));
    expect(opened).toHaveBeenCalledTimes(1);
  });
});

it('gives the list of conversations the words without the marks', () => {
  expect(wordsOf('We **ship** to [Norway](https://x.example):\n\n- fast\n- `cheap`')).toBe('We ship to Norway: fast cheap');
  expect(wordsOf('2 * 3 = 6')).toBe('2 * 3 = 6');
  expect(wordsOf('<img src=x onerror=alert(1)>')).toBe('<img src=x onerror=alert(1)>');
  expect(wordsOf('plain')).toBe('plain');
});
